#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace relais::backbone {

/// `--name value` pairs. Asking for one that is missing without a default, or that is not of its
/// kind, throws std::runtime_error with the option's name.
class options {
public:
    options(int count, const char* const* words);

    std::string text(const std::string& name) const;
    std::string text(const std::string& name, const std::string& otherwise) const;
    std::int64_t number(const std::string& name, std::int64_t otherwise) const;

private:
    std::map<std::string, std::string> values_;
};

} // namespace relais::backbone
