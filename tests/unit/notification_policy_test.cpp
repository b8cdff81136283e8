#include "notification/delivery/composer.hpp"
#include "notification/delivery/gate.hpp"
#include "notification/delivery/policy.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais::notification;
using namespace std::chrono_literals;
using relais::timestamp;

namespace {

constexpr std::uint64_t most_random = ~std::uint64_t{0};
const delivery_policy policy;

send_outcome with(send_result result, std::optional<std::chrono::milliseconds> wait = {}) {
    return {result, "", "why", wait, {}};
}

} // namespace

TEST_CASE("what follows from the outcome of a call", "[notification]") {
    struct row {
        send_result result;
        ambiguity how;
        delivery_state state;
        bool counts;
        bool pauses;
        bool alerts;
    };

    const std::vector<row> table{
        {send_result::accepted, ambiguity::look_up, delivery_state::accepted, true, false, false},
        {send_result::refused, ambiguity::look_up, delivery_state::failed, true, false, false},
        {send_result::nobody_there, ambiguity::repeat_with_key, delivery_state::skipped, true,
         false, false},
        {send_result::channel_refused, ambiguity::look_up, delivery_state::pending, false, true,
         true},
        {send_result::throttled, ambiguity::look_up, delivery_state::pending, false, true, false},
        {send_result::not_sent, ambiguity::look_up, delivery_state::pending, false, true, false},
        {send_result::provider_error, ambiguity::look_up, delivery_state::pending, true, false,
         false},
        {send_result::ambiguous, ambiguity::look_up, delivery_state::ambiguous, true, false, false},
        {send_result::ambiguous, ambiguity::repeat_once, delivery_state::ambiguous, true, false,
         false},
        {send_result::ambiguous, ambiguity::repeat_with_key, delivery_state::pending, true, false,
         false},
    };
    for (const auto& expected : table) {
        CAPTURE(to_string(expected.result), static_cast<int>(expected.how));
        const auto found = after_send(policy, expected.how, with(expected.result), {3, 0, 0, 0}, 1);
        CHECK(found.state == expected.state);
        CHECK(found.history.attempts == (expected.counts ? 3U : 2U));
        CHECK(found.history.deferrals == (expected.counts ? 0U : 1U));
        CHECK((found.pause_channel > 0ms) == expected.pauses);
        CHECK(found.alert == expected.alerts);
    }
}

TEST_CASE("a provider that names a wait gets it, whoever asks", "[notification]") {
    const auto found =
        after_send(policy, ambiguity::look_up, with(send_result::throttled, 7s), {1, 0, 0, 0}, 1);
    CHECK(found.wait == 7s);
    CHECK(found.pause_channel == 7s);
    const auto third = after_send(policy, ambiguity::look_up, with(send_result::throttled),
                                  {1, 2, 0, 0}, most_random);
    CHECK(third.wait >= 500ms);
    CHECK(third.wait <= 4s);
}

TEST_CASE("errors that count end after the last attempt", "[notification]") {
    const auto one_left = after_send(policy, ambiguity::look_up, with(send_result::provider_error),
                                     {policy.attempts_max - 1, 0, 0, 0}, most_random);
    CHECK(one_left.state == delivery_state::pending);
    CHECK(one_left.wait <= 5min);
    const auto last = after_send(policy, ambiguity::look_up, with(send_result::provider_error),
                                 {policy.attempts_max, 0, 0, 0}, 1);
    CHECK(last.state == delivery_state::failed);
    CHECK(last.reason == "why");
}

TEST_CASE("an ambiguous call is looked up twice, then sent once more, never again",
          "[notification]") {
    using enum look_up_outcome::finding;
    const auto look = [](look_up_outcome::finding what, delivery_history history,
                         bool expired = false) {
        return after_look_up(policy, ambiguity::look_up, {what, ""}, history, expired, 1);
    };
    auto now =
        after_send(policy, ambiguity::look_up, with(send_result::ambiguous), {1, 0, 0, 0}, 1);
    CHECK(now.wait == 15s);
    now = look(not_there, now.history);
    CHECK(now.state == delivery_state::ambiguous);
    CHECK(now.wait == 45s);
    now = look(not_there, now.history);
    CHECK(now.state == delivery_state::pending);
    CHECK(now.wait == 0s);
    CHECK(now.history.resends == 1);
    CHECK(now.history.look_ups == 0);
    now = look(not_there, now.history);
    CHECK(now.state == delivery_state::ambiguous);
    now = look(not_there, now.history);
    CHECK(now.state == delivery_state::failed);
    CHECK(now.reason == "outcome-unknown");

    CHECK(look(sent, {1, 0, 1, 1}).state == delivery_state::accepted);
    const auto again = look(unknown, {1, 0, 1, 0});
    CHECK(again.state == delivery_state::ambiguous);
    CHECK(again.history.look_ups == 1);
    CHECK(again.wait == policy.look_up_again);
    CHECK(look(not_there, {1, 0, 1, 0}, true).state == delivery_state::failed);
}

TEST_CASE("where nothing can be looked up", "[notification]") {
    const auto by_key =
        after_look_up(policy, ambiguity::repeat_with_key, {}, {1, 0, 0, 0}, false, 1);
    CHECK(by_key.state == delivery_state::pending);
    CHECK(by_key.history.resends == 0);
    const auto once = after_look_up(policy, ambiguity::repeat_once, {}, {1, 0, 0, 0}, false, 1);
    CHECK(once.state == delivery_state::pending);
    CHECK(once.history.resends == 1);
    const auto twice = after_look_up(policy, ambiguity::repeat_once, {}, {2, 0, 0, 1}, false, 1);
    CHECK(twice.state == delivery_state::failed);
}

TEST_CASE("after a pause one message goes first", "[notification]") {
    using time_point = channel_gate::time_point;
    const time_point start{};
    channel_gate gate;
    CHECK(gate.allowed(start, 4) == 4);
    gate.close(start + 10s, true);
    CHECK(gate.allowed(start + 9s, 4) == 0);
    CHECK(gate.allowed(start + 10s, 4) == 1);
    CHECK(gate.alert());
    gate.close(start + 5s, false); // never shortens a pause
    CHECK(gate.closed_until() == start + 10s);
    gate.succeed();
    CHECK(gate.allowed(start + 10s, 4) == 4);
    CHECK_FALSE(gate.alert());
}

TEST_CASE("who is not written to, and why", "[notification]") {
    const timestamp now{std::chrono::hours(1)};
    claimed_delivery sound;
    sound.kind = find_kind("offer_made");
    sound.channel = channel::mail;
    sound.not_after = now + 1h;
    sound.known_person = true;
    sound.email_validated = true;
    sound.subscriptions = {"s"};
    sound.job_title = "Roof";
    CHECK(reason_to_skip(sound, now).empty());

    const auto changed = [&](auto change) {
        auto row = sound;
        change(row);
        return reason_to_skip(row, now);
    };
    CHECK(changed([](auto& row) { row.known_person = false; }) == "no-contact");
    CHECK(changed([&](auto& row) { row.not_after = now; }) == "expired");
    CHECK(changed([](auto& row) { row.job_title.reset(); }) == "no-job");
    CHECK(changed([](auto& row) { row.email_validated = false; }) == "address-not-validated");
    CHECK(changed([](auto& row) { row.suppressed = "activity"; }) == "suppressed");
    CHECK(changed([](auto& row) { row.suppressed = "all"; }) == "suppressed");

    const auto* const security = find_kind("validate_email");
    CHECK(changed([&](auto& row) {
              row.kind = security;
              row.email_validated = false;
              row.suppressed = "activity";
              row.job_title.reset();
          }).empty());
    CHECK(changed([&](auto& row) {
              row.kind = security;
              row.suppressed = "all";
          }) == "suppressed");
    const auto push = [](auto& row) {
        row.channel = channel::push;
    };
    CHECK(changed([&](auto& row) {
              push(row);
              row.suppressed = "all"; // of the address, not of the person
          }).empty());
    CHECK(changed([&](auto& row) {
              push(row);
              row.subscriptions.clear();
          }) == "no-device");
}
