#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace relais::config {

/// A value that must not be shown. Whoever formats or logs it gets `***`; only reveal() gives it
/// out.
class secret {
public:
    secret() = default;

    explicit secret(std::string value) : value_(std::move(value)) {}

    const std::string& reveal() const {
        return value_;
    }

    bool empty() const {
        return value_.empty();
    }

private:
    std::string value_;
};

} // namespace relais::config

/// Whoever formats a secret gets stars, whatever the format specification says.
template <>
struct fmt::formatter<relais::config::secret> : fmt::formatter<fmt::string_view> {
    auto format(const relais::config::secret& /*value*/, fmt::format_context& context) const {
        return fmt::formatter<fmt::string_view>::format("***", context);
    }
};
