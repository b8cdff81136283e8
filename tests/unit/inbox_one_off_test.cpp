#include "inbox/one_off.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using texts = std::vector<std::string>;

namespace {

result<inbox::replay_request> parse(const texts& words) {
    return inbox::parse_replay(words);
}

} // namespace

TEST_CASE("what is to be replayed is read from words", "[inbox]") {
    const auto all = parse({"market.job.events.v1"});
    REQUIRE(all);
    CHECK(all->topic == "market.job.events.v1");
    CHECK_FALSE(all->live);
    CHECK_FALSE(all->partition);

    const auto some = parse({"market.job.events.v1", "--partition", "3", "--from", "17", "--until",
                             "20", "--key", "k", "--live", "--name", "again"});
    REQUIRE(some);
    CHECK(some->live);
    CHECK(some->name == "again");
    CHECK(some->partition == 3);
    CHECK(some->from_offset == 17);
    CHECK(some->until_offset == 20);
    CHECK(some->key == "k");

    const auto since = parse({"market.job.events.v1", "--from", "2026-01-31T08:00:00Z"});
    REQUIRE(since);
    CHECK(since->from_time);
    CHECK_FALSE(since->from_offset);
}

TEST_CASE("words that ask for no replay are refused, with what was expected", "[inbox]") {
    for (const auto& words : std::vector<texts>{
             {},
             {"no.such.topic"},
             {"market.job.events.v1", "--live"},
             {"market.job.events.v1", "--from", "17"},
             {"market.job.events.v1", "--from", "yesterday"},
             {"market.job.events.v1", "--partition", "x"},
             {"market.job.events.v1", "--partition"},
             {"market.job.events.v1", "again"},
         }) {
        const auto refused = parse(words);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().slug == "usage");
        CHECK_FALSE(refused.error().detail.empty());
    }
}
