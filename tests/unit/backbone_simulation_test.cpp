// The parts of outbox and inbox that are free of IO, under a seeded scheduler with virtual time.
#include "support/simulated_backbone.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using test::mistakes;
using test::simulated_backbone;

namespace {

constexpr int steps = 20'000;
/// Two million steps with the long tests, which is a minute under the sanitizers; else half a
/// million.
const std::uint64_t stories = std::getenv("RELAIS_TEST_LONG") == nullptr ? 25 : 100;

/// Whether some story has a problem of this kind.
bool says(mistakes wrong, std::string_view kind) {
    for (std::uint64_t seed = 1; seed <= stories; ++seed) {
        simulated_backbone backbone(seed, wrong);
        for (int i = 0; i < steps; ++i) {
            backbone.step();
        }
        backbone.drain();
        for (const auto& problem : backbone.problems()) {
            if (problem.starts_with(kind)) {
                return true;
            }
        }
    }
    return false;
}

} // namespace

TEST_CASE("millions of steps of relays and consumers: nothing lost, nothing twice, in order",
          "[outbox][inbox][simulation]") {
    std::map<std::string, std::size_t> counts;
    for (std::uint64_t seed = 1; seed <= stories; ++seed) {
        simulated_backbone backbone(seed);
        for (int i = 0; i < steps; ++i) {
            backbone.step();
        }
        backbone.drain();
        CAPTURE(seed);
        REQUIRE(backbone.problems() == std::vector<std::string>());
        REQUIRE(backbone.committed() > 1'000);
        for (const auto& [what, count] : backbone.counts()) {
            counts[what] += count;
        }
    }
    for (const auto* what :
         {"relays killed", "relays frozen", "slots lost", "duplicates", "consumers killed"}) {
        CAPTURE(what);
        CHECK(counts[what] > stories);
    }
}

TEST_CASE("a simulation that does something wrong says so", "[outbox][inbox][simulation]") {
    struct row {
        const char* expected;
        mistakes wrong;
    };

    const auto next = GENERATE(
        row{"lost", {.confirms_when_sent = true}}, row{"twice", {.forgets_watermarks = true}},
        row{"order", {.ignores_holds = true}}, row{"twice", {.repairs_blindly = true}});
    CAPTURE(next.expected);
    CHECK(says(next.wrong, next.expected));
}
