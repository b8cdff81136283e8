#pragma once

#include "config/reader.hpp"

#include <string>

namespace relais::test {

/// A variable that `./relais test` sets (RELAIS_TEST_…). A functional test without its server
/// fails, it is never skipped silently.
std::string variable(const std::string& name);

/// The clone, and the build tree the tests were built in.
std::string source_dir();
std::string build_dir();

config::endpoint endpoint_from(const std::string& name);

} // namespace relais::test
