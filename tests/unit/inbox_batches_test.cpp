#include "inbox/cutter.hpp"
#include "inbox/waves.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace relais;
using indexes = std::vector<std::size_t>;

namespace {

struct order {
    std::vector<inbox::handling> handlers{2};
    inbox::waves all;

    /// Of "a0 b0 a1": letters are keys, numbers the handlers.
    std::vector<std::pair<std::size_t, indexes>> of(const std::vector<std::string>& events) {
        for (std::size_t i = 0; i < events.size(); ++i) {
            const std::string_view event = events[i];
            all.add(i, event.substr(0, 1), handlers[event[1] == '0' ? 0 : 1]);
        }
        std::vector<std::pair<std::size_t, indexes>> parts;
        for (const auto& part : all.take()) {
            parts.emplace_back(part.with == handlers.data() ? 0 : 1, part.events);
        }
        return parts;
    }
};

/// What a cutter tries until everything is done, when these events fail. A handler of batches knows
/// only which events it had.
std::vector<indexes> tries(std::size_t size, const indexes& failing, bool knows_which) {
    std::vector<indexes> all;
    inbox::cutter cut(size);
    std::size_t begin = 0;
    while (!cut.finished()) {
        const auto count = cut.next();
        REQUIRE(count > 0);
        indexes piece;
        std::optional<std::size_t> bad;
        for (std::size_t i = begin; i < begin + count; ++i) {
            piece.push_back(i);
            if (!bad && std::ranges::find(failing, i) != failing.end()) {
                bad = i - begin;
            }
        }
        all.push_back(piece);
        if (bad && count > 1) {
            cut.failed(knows_which ? inbox::stretch{*bad, 1} : inbox::stretch{0, count});
            continue;
        }
        cut.done();
        begin += count;
    }
    CHECK(begin == size);
    return all;
}

} // namespace

TEST_CASE("events of different keys run together, those of one key one after the other",
          "[inbox]") {
    CHECK(order{}.of({"a0", "b0", "c0"}) ==
          std::vector<std::pair<std::size_t, indexes>>{{0, {0, 1, 2}}});
    CHECK(order{}.of({"a0", "a0", "b0", "a0"}) ==
          std::vector<std::pair<std::size_t, indexes>>{{0, {0, 2}}, {0, {1}}, {0, {3}}});
    CHECK(order{}.of({"a0", "b1", "a1", "b0", "c1"}) ==
          std::vector<std::pair<std::size_t, indexes>>{{0, {0}}, {1, {1, 4}}, {1, {2}}, {0, {3}}});
}

TEST_CASE("what fails is found in few tries, and everything else runs in large pieces", "[inbox]") {
    CHECK(tries(5, {}, true) == std::vector<indexes>{{0, 1, 2, 3, 4}});
    CHECK(tries(5, {2}, true) == std::vector<indexes>{{0, 1, 2, 3, 4}, {0, 1}, {2}, {3, 4}});
    CHECK(tries(4, {0, 1}, true) ==
          std::vector<indexes>{{0, 1, 2, 3}, {0}, {1, 2, 3}, {1}, {2, 3}});
    CHECK(tries(1, {0}, true) == std::vector<indexes>{{0}});
    CHECK(tries(4, {3}, false) == std::vector<indexes>{{0, 1, 2, 3}, {0, 1}, {2, 3}, {2}, {3}});
    CHECK(tries(200, {137}, false).size() < 20);
    CHECK(tries(200, {0, 50, 199}, false).size() < 60);
}
