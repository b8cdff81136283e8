// One node of the event backbone, for tests/bench/backbone and tests/chaos/rows/backbone.py.
#include "backbone/node.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <map>
#include <string>

namespace {

using relais::backbone::options;

const std::map<std::string, void (*)(const options&)> kinds{
    {"prepare", relais::backbone::prepare},         {"topics", relais::backbone::manage_topics},
    {"writer", relais::backbone::write_events},     {"relay", relais::backbone::relay_events},
    {"consumer", relais::backbone::consume_events}, {"timers", relais::backbone::run_timers},
    {"producer", relais::backbone::produce_events},
};

} // namespace

int main(int count, char** words) {
    const auto kind = count > 1 ? kinds.find(words[1]) : kinds.end();
    if (kind == kinds.end()) {
        fmt::print(stderr, "usage: backbone_node KIND [--option value]…; kinds:");
        for (const auto& [name, run] : kinds) {
            fmt::print(stderr, " {}", name);
        }
        fmt::print(stderr, "\n");
        return 2;
    }
    try {
        kind->second(options(count - 2, words + 2));
    } catch (const std::exception& failed) {
        fmt::print(stderr, "{}: {}\n", kind->first, failed.what());
        return 1;
    }
    return 0;
}
