#include "gateway/upstream/circuit.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

using state = circuit::state;

constexpr circuit::time_point begin{std::chrono::hours(1)};

/// Requests that are let through and end so.
void answers(circuit& of, int count, circuit::time_point now) {
    for (int i = 0; i < count; ++i) {
        REQUIRE(of.may_pass(now));
        of.report_answer(now);
    }
}

void failures(circuit& of, int count, circuit::time_point now) {
    for (int i = 0; i < count; ++i) {
        of.may_pass(now);
        of.report_failure(now);
    }
}

circuit opened() {
    circuit made;
    failures(made, 20, begin);
    REQUIRE(made.current() == state::open);
    return made;
}

} // namespace

TEST_CASE("a circuit opens when half of enough requests fail", "[gateway]") {
    circuit of;
    failures(of, 19, begin);
    CHECK(of.current() == state::closed);
    failures(of, 1, begin);
    CHECK(of.current() == state::open);
    CHECK_FALSE(of.may_pass(begin + 1s));
    CHECK(of.remaining(begin + 1s) == 4s);
}

TEST_CASE("a circuit stays closed while most requests are answered", "[gateway]") {
    circuit of;
    answers(of, 21, begin);
    failures(of, 20, begin);
    CHECK(of.current() == state::closed);
    failures(of, 1, begin);
    CHECK(of.current() == state::open);
}

TEST_CASE("a circuit forgets after ten seconds", "[gateway]") {
    circuit of;
    failures(of, 19, begin);
    failures(of, 19, begin + 10s);
    CHECK(of.current() == state::closed);
}

TEST_CASE("one request tries; its answer closes the circuit", "[gateway]") {
    auto of = opened();
    CHECK_FALSE(of.may_pass(begin + 4'999ms));
    CHECK(of.may_pass(begin + 5s));
    CHECK_FALSE(of.may_pass(begin + 5s)); // not a second one
    of.report_answer(begin + 6s);
    CHECK(of.current() == state::closed);
    CHECK(of.may_pass(begin + 6s));
    failures(of, 1, begin + 6s);
    CHECK(of.current() == state::closed);
}

TEST_CASE("a try that fails opens the circuit for twice as long, at most a minute", "[gateway]") {
    auto of = opened();
    auto now = begin;
    for (const auto pause : {5s, 10s, 20s, 40s, 60s, 60s}) {
        CHECK_FALSE(of.may_pass(now + pause - 1ms));
        now += pause;
        REQUIRE(of.may_pass(now));
        of.report_failure(now);
    }
}

TEST_CASE("a try that nobody knows the end of leaves room for another", "[gateway]") {
    auto of = opened();
    CHECK(of.may_pass(begin + 5s));
    of.forget();
    CHECK(of.may_pass(begin + 5s));
}

TEST_CASE("an instance that becomes ready is tried at once", "[gateway]") {
    auto of = opened();
    of.encourage();
    CHECK(of.may_pass(begin + 1s));
    of.report_answer(begin + 1s);
    CHECK(of.current() == state::closed);
    of.encourage();
    CHECK(of.current() == state::closed);
}

TEST_CASE("what began before the circuit opened does not open it for longer", "[gateway]") {
    auto of = opened();
    of.report_failure(begin + 2s);
    CHECK(of.remaining(begin + 2s) == 3s);
    of.report_answer(begin + 3s); // it does answer
    CHECK(of.current() == state::closed);
}
