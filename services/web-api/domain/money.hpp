#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// A million euro: more is a typing error.
inline constexpr std::int64_t amount_minor_max = 100'000'000;

/// A positive amount of a currency the marketplace deals in: integer minor units (cents) and an
/// ISO 4217 code.
class money {
public:
    /// Errors: `invalid` / "amount-out-of-range", "unknown-currency".
    static result<money> make(std::int64_t amount_minor, std::string_view currency);

    std::int64_t amount_minor() const {
        return amount_minor_;
    }

    const std::string& currency() const {
        return currency_;
    }

    friend bool operator==(const money&, const money&) = default;

private:
    money(std::int64_t amount_minor, std::string currency)
        : amount_minor_(amount_minor), currency_(std::move(currency)) {}

    std::int64_t amount_minor_;
    std::string currency_;
};

/// The currencies jobs are paid in.
const std::vector<std::string>& currency_names();

} // namespace relais::web_api
