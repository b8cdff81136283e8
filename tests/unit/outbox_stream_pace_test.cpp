#include "outbox/stream_pace.hpp"

#include <catch2/catch_test_macros.hpp>

using relais::outbox::next_portion_after;
using namespace std::chrono_literals;

TEST_CASE("the stream is read at once where few transactions come, in portions where many do",
          "[outbox]") {
    CHECK(next_portion_after({.transactions = 0, .took = 5ms}) == 0ms);
    CHECK(next_portion_after({.transactions = 3, .took = 5ms}) == 0ms);
    CHECK(next_portion_after({.transactions = 4, .took = 1ms}) == 5ms);
    CHECK(next_portion_after({.transactions = 500, .took = 4ms}) == 20ms);
    CHECK(next_portion_after({.transactions = 500, .took = 400ms}) == 25ms);
}
