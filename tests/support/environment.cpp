#include "support/environment.hpp"

#include <stdexcept>

namespace relais::test {

std::string variable(const std::string& name) {
    const auto all = config::process_environment();
    const auto found = all.find(name);
    if (found == all.end() || found->second.empty()) {
        throw std::runtime_error(name + " is not set: run functional tests with ./relais test");
    }
    return found->second;
}

std::string source_dir() {
    return RELAIS_SOURCE_DIR;
}

std::string build_dir() {
    return RELAIS_BINARY_DIR;
}

config::endpoint endpoint_from(const std::string& name) {
    config::reader from(config::process_environment());
    auto value = from.endpoint(name, std::nullopt, "a server of the tests");
    if (!from.problems().empty()) {
        throw std::runtime_error(from.problems().front());
    }
    return value;
}

} // namespace relais::test
