#include "ctl/command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    try {
        return relais::ctl::run({relais::config::process_environment()}, words);
    } catch (const std::exception& failed) {
        fmt::print(stderr, "relaisctl: {}\n", failed.what());
        return 1;
    }
}
