#include "notification/channels/onesignal_messages.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;
using namespace relais::notification;
using namespace std::chrono_literals;

namespace {

using ended_call = std::expected<rest::answer, rest::no_answer>;
const std::vector<std::string> devices{"s1", "s2"};

send_outcome read(int status, std::string body,
                  std::vector<std::pair<std::string, std::string>> headers = {}) {
    return read_onesignal_answer(rest::answer{status, std::move(headers), std::move(body)},
                                 devices);
}

} // namespace

TEST_CASE("OneSignal accepted it only when the answer has an id", "[notification]") {
    const auto sent = read(200, R"({"id":"abc","external_id":"k"})");
    CHECK(sent.result == send_result::accepted);
    CHECK(sent.provider_message_id == "abc");
    CHECK(sent.dead_subscriptions.empty());

    const auto partly = read(200, R"({"id":"abc","errors":{"invalid_player_ids":["s2","s2"]}})");
    CHECK(partly.result == send_result::accepted);
    CHECK(partly.dead_subscriptions == std::vector<std::string>{"s2"});

    const auto nested =
        read(200, R"({"id":"abc","errors":{"invalid_aliases":{"external_id":["s1","other"]}}})");
    CHECK(nested.dead_subscriptions == std::vector<std::string>{"s1"});

    const auto nobody =
        read(200, R"({"id":"","errors":["All included players are not subscribed"]})");
    CHECK(nobody.result == send_result::nobody_there);
    CHECK(nobody.dead_subscriptions == devices);
}

TEST_CASE("OneSignal's other answers", "[notification]") {
    struct row {
        send_outcome found;
        send_result expected;
    };

    const std::vector<row> table{
        {read(200, "<html>"), send_result::ambiguous},
        {read(200, R"({"id":"ab)"), send_result::ambiguous},
        {read(400, R"({"errors":["Message Notifications must have English language content"]})"),
         send_result::refused},
        {read(400, R"({"errors":[{"code":"x","title":"y"}]})"), send_result::refused},
        {read(401, R"({"errors":["key"]})"), send_result::channel_refused},
        {read(403, ""), send_result::channel_refused},
        {read(429, "", {{"Retry-After", "2"}}), send_result::throttled},
        {read(500, ""), send_result::ambiguous},
        {read(500, R"({"errors":["Internal"]})"), send_result::provider_error},
        {read(503, "", {{"Retry-After", "2"}}), send_result::throttled},
    };
    for (std::size_t i = 0; i < table.size(); ++i) {
        CAPTURE(i);
        CHECK(table[i].found.result == table[i].expected);
    }
    CHECK(read(429, "", {{"Retry-After", "2"}}).wait == 2s);
    const error gone{error_kind::unavailable, "onesignal-gone", "", "", {}};
    const auto lost = [&](bool not_sent) {
        return read_onesignal_answer(std::unexpected(rest::no_answer{not_sent, gone}), devices);
    };
    CHECK(lost(true).result == send_result::not_sent);
    CHECK(lost(false).result == send_result::ambiguous);
}

TEST_CASE("the request to OneSignal has English always, and our id as its key", "[notification]") {
    outgoing message;
    message.id = *delivery_id::parse("0190f0b0-0000-7000-8000-000000000001");
    outgoing_push push;
    push.content["en"] = {"T", "B"};
    push.content["nl"] = {"t", "b"};
    push.link = "https://x/jobs/1";
    push.data["job_id"] = "1";
    push.useful_for = 24h * 60;
    message.content = push;
    CHECK(onesignal_request(message, "app", devices) ==
          R"({"app_id":"app","idempotency_key":"0190f0b0-0000-7000-8000-000000000001",)"
          R"("include_subscription_ids":["s1","s2"],"headings":{"en":"T","nl":"t"},)"
          R"("contents":{"en":"B","nl":"b"},"url":"https://x/jobs/1","data":{"job_id":"1"},)"
          R"("ttl":2419200})");
}
