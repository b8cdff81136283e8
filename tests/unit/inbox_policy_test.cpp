#include "inbox/invoke.hpp"
#include "inbox/policy.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace std::chrono_literals;

namespace {

error failed(error_kind kind) {
    return {kind, "slug", "", "", std::nullopt};
}

} // namespace

TEST_CASE("curves say when the next attempt is", "[inbox]") {
    struct row {
        inbox::policy rules;
        std::uint32_t next;
        std::chrono::milliseconds least;
        std::chrono::milliseconds most;
    };

    const inbox::policy constant{.curve = inbox::curve::constant, .first = 3s};
    const inbox::policy doubling{
        .curve = inbox::curve::exponential, .first = 200ms, .longest = 10s};
    const inbox::policy old{.curve = inbox::curve::delayed_job, .longest = 24h, .attempts_max = 25};
    const auto expected = GENERATE_COPY(
        row{constant, 2, 3s, 3s}, row{constant, 9, 3s, 3s}, row{doubling, 2, 100ms, 200ms},
        row{doubling, 4, 100ms, 800ms}, row{doubling, 12, 100ms, 10s}, row{old, 2, 6s, 6s},
        row{old, 3, 21s, 21s}, row{old, 11, 10'005s, 10'005s}, row{old, 25, 24h, 24h});
    for (const std::uint64_t random : {0UL, 0x123456789abcdefUL, ~0UL}) {
        const auto wait =
            expected.rules.wait_before(expected.next, failed(error_kind::unavailable), 0s, random);
        REQUIRE(wait);
        CHECK(*wait >= expected.least);
        CHECK(*wait <= expected.most);
    }
}

TEST_CASE("what cannot succeed later is not tried again", "[inbox]") {
    const inbox::policy rules{.attempts_max = 3};
    CHECK(rules.wait_before(2, failed(error_kind::unavailable), 0s, 1));
    CHECK(rules.wait_before(3, failed(error_kind::timeout), 0s, 1));
    CHECK(rules.wait_before(3, failed(error_kind::internal), 0s, 1));
    CHECK_FALSE(rules.wait_before(4, failed(error_kind::unavailable), 0s, 1));
    CHECK_FALSE(rules.wait_before(2, failed(error_kind::invalid), 0s, 1));
    CHECK_FALSE(rules.wait_before(2, failed(error_kind::conflict), 0s, 1));
}

TEST_CASE("a failure that says when to come back is obeyed", "[inbox]") {
    const inbox::policy rules{.curve = inbox::curve::constant, .first = 1s, .longest = 5s};
    auto limited = failed(error_kind::rate_limited);
    limited.retry_after = 90s;
    CHECK(rules.wait_before(2, limited, 0s, 1) == 90s);
    limited.retry_after = 1h; // longer than a held key is believed to wait
    CHECK(rules.wait_before(2, limited, 0s, 1) == 15min);
    limited.retry_after = 10ms;
    CHECK(rules.wait_before(2, limited, 0s, 1) == 1s);
}

TEST_CASE("an outage is told from an event's failure", "[inbox]") {
    struct row {
        const char* slug;
        bool in_handler;
        bool outage;
    };

    const auto expected =
        GENERATE(row{"database-down", true, true}, row{"database-down", false, true},
                 row{"database-disk-full", true, true}, row{"commit-in-doubt", false, true},
                 row{"db-pool-full", false, true}, row{"db-pool-exception", true, false},
                 row{"database-lock-timeout", false, true},
                 row{"database-lock-timeout", true, false}, row{"serialization", false, true},
                 row{"serialization", true, false}, row{"database-timeout", true, false},
                 row{"unique-violation", true, false}, row{"provider-down", true, false});
    const error reason{error_kind::unavailable, expected.slug, "", "", std::nullopt};
    CHECK(inbox::is_outage(reason, expected.in_handler) == expected.outage);
}

TEST_CASE("no attempt begins after an event type's deadline", "[inbox]") {
    const inbox::policy rules{.curve = inbox::curve::constant, .first = 10s, .deadline = 60s};
    CHECK(rules.wait_before(2, failed(error_kind::unavailable), 50s, 1) == 10s);
    CHECK_FALSE(rules.wait_before(2, failed(error_kind::unavailable), 51s, 1));
}
