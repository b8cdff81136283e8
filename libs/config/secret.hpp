#pragma once

#include <string>
#include <utility>

namespace relais::config {

/// A value that must not be shown. Whoever formats or logs it gets `***`; only reveal() gives it out.
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

    /// What {fmt} prints for it (found by argument-dependent lookup).
    friend const char* format_as(const secret& /*value*/) {
        return "***";
    }

  private:
    std::string value_;
};

} // namespace relais::config
