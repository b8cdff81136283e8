#include "web-api/domain/lifecycle.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

using namespace relais;
using namespace relais::web_api;

TEST_CASE("every transition goes between states that the table has", "[web-api]") {
    for (const auto& line : lifecycle()) {
        const auto states = states_of(line.thing);
        for (const auto& from : line.from) {
            CHECK(std::ranges::find(states, from) != states.end());
        }
        CHECK(std::ranges::find(states, line.to) != states.end());
    }
}

TEST_CASE("a transition is allowed from its states and from no other", "[web-api]") {
    for (const auto& line : lifecycle()) {
        for (const auto& state : states_of(line.thing)) {
            const bool listed = std::ranges::find(line.from, state) != line.from.end();
            const auto checked = check_transition(line, state);
            CHECK(checked.has_value() == listed);
            if (!checked) {
                CHECK(checked.error().kind == error_kind::conflict);
                CHECK(checked.error().slug == "state-conflict");
                CHECK(checked.error().detail.contains(state));
            }
        }
    }
}

TEST_CASE("every state can be reached, and what is decided stays decided", "[web-api]") {
    for (const std::string_view thing : {"job", "offer"}) {
        std::set<std::string_view> reached;
        for (std::size_t round = 0; round < lifecycle().size(); ++round) {
            for (const auto& line : lifecycle()) {
                const bool from_reached = std::ranges::any_of(
                    line.from, [&](std::string_view from) { return reached.contains(from); });
                if (line.thing == thing && (line.from.empty() || from_reached)) {
                    reached.insert(line.to);
                }
            }
        }
        CHECK(reached.size() == states_of(thing).size());
    }
    for (const std::string_view decided : {"accepted", "superseded"}) {
        for (const auto& line : lifecycle()) {
            if (line.thing == "offer") {
                CHECK_FALSE(check_transition(line, decided));
            }
        }
    }
}

TEST_CASE("a transition that the table does not have is a bug", "[web-api]") {
    CHECK_THROWS_AS(transition_of("job", "evaporate"), std::logic_error);
    CHECK(transition_of("offer", "accept").to == "accepted");
}
