#include "mailing-list-sync/domain/consent.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <random>
#include <vector>

using namespace relais;
using namespace relais::mailing_list_sync;
using namespace std::chrono_literals;

namespace {

constexpr timestamp noon{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};
using kind = consent_kind;

} // namespace

TEST_CASE("what a ledger means", "[mailing-list-sync]") {
    struct row {
        const char* name;
        std::vector<consent_event> ledger;
        consent_state state;
    };

    const auto given = GENERATE(values<row>({
        {"nothing was said", {}, consent_state::unknown},
        {"yes", {{kind::granted, noon}}, consent_state::subscribed},
        {"yes, then no",
         {{kind::granted, noon}, {kind::withdrawn, noon + 1s}},
         consent_state::opted_out},
        {"no, then yes",
         {{kind::withdrawn, noon}, {kind::granted, noon + 1s}},
         consent_state::subscribed},
        {"yes and no at the same moment",
         {{kind::granted, noon}, {kind::withdrawn, noon}},
         consent_state::opted_out},
        {"opt-out at the provider shortly before the yes: its clock may be wrong",
         {{kind::provider_opt_out, noon}, {kind::granted, noon + 5min}},
         consent_state::opted_out},
        {"a yes clearly later than the opt-out at the provider",
         {{kind::provider_opt_out, noon}, {kind::granted, noon + 11min}},
         consent_state::subscribed},
        {"after a complaint no ordinary yes counts",
         {{kind::complaint, noon}, {kind::granted, noon + 24h}},
         consent_state::opted_out},
        {"erasure absorbs",
         {{kind::erased, noon}, {kind::granted, noon + 24h}},
         consent_state::erased},
    }));
    CAPTURE(given.name);
    CHECK(fold(given.ledger) == given.state);
}

TEST_CASE("order and repetition of the ledger change nothing", "[mailing-list-sync]") {
    std::mt19937 random(20261123); // the seed makes a failure repeatable
    for (int round = 0; round < 2'000; ++round) {
        std::vector<consent_event> ledger;
        const auto size = 1 + random() % 6;
        for (std::size_t i = 0; i < size; ++i) {
            ledger.push_back(
                {static_cast<kind>(random() % 5), noon + std::chrono::minutes(random() % 30)});
        }
        const auto state = fold(ledger);
        auto doubled = ledger;
        doubled.insert(doubled.end(), ledger.begin(), ledger.end());
        for (int shuffle = 0; shuffle < 5; ++shuffle) {
            std::ranges::shuffle(doubled, random);
            REQUIRE(fold(doubled) == state);
        }
    }
}

TEST_CASE("kinds survive being written down", "[mailing-list-sync]") {
    for (const auto each :
         {kind::granted, kind::withdrawn, kind::provider_opt_out, kind::complaint, kind::erased}) {
        CHECK(parse_consent_kind(to_string(each)) == each);
    }
    CHECK(parse_consent_kind("from-the-future") == kind::withdrawn);
}
