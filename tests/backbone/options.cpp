#include "backbone/options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace relais::backbone {

options::options(int count, const char* const* words) {
    for (int i = 0; i < count; i += 2) {
        const std::string name = words[i];
        if (!name.starts_with("--") || i + 1 >= count) {
            throw std::runtime_error(fmt::format("'{}': expected --name value", name));
        }
        values_[name.substr(2)] = words[i + 1];
    }
}

std::string options::text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
        throw std::runtime_error(fmt::format("--{} is missing", name));
    }
    return found->second;
}

std::string options::text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
}

std::int64_t options::number(const std::string& name, std::int64_t otherwise) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
        return otherwise;
    }
    std::int64_t value = 0;
    const auto& given = found->second;
    const auto [end, problem] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (problem != std::errc() || end != given.data() + given.size()) {
        throw std::runtime_error(fmt::format("--{}: '{}' is not a number", name, given));
    }
    return value;
}

} // namespace relais::backbone
