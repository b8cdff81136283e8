#pragma once

#include "support/database.hpp"

#include <string>

namespace relais::test {

/// What a command printed, and its exit code.
struct said {
    int code = 0;
    std::string text; ///< standard output and standard error

    bool has(const std::string& part) const {
        return text.find(part) != std::string::npos;
    }
};

/// Runs relaisctl as a process, every service's database being this one. `input` is what it reads,
/// without apostrophes.
said relaisctl(const database& on, const std::string& arguments, const std::string& input = "");

} // namespace relais::test
