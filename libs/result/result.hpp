#pragma once

#include "result/error.hpp"

#include <expected>
#include <string>
#include <utility>

namespace relais {

/// A value, or the reason why there is none. The caller decides what to do with the reason.
template <class T>
using result = std::expected<T, error>;

/// `return fail(error_kind::conflict, "state-conflict", "the job is already assigned");`
[[nodiscard]] inline std::unexpected<error>
fail(error_kind kind, std::string slug, std::string detail = {}, std::string pointer = {}) {
    return std::unexpected(
        error{kind, std::move(slug), std::move(detail), std::move(pointer), std::nullopt});
}

/// Hands on the reason of another result: `if (!user) { return fail(user); }`
template <class T>
[[nodiscard]] std::unexpected<error> fail(const result<T>& failed) {
    return std::unexpected(failed.error());
}

} // namespace relais
