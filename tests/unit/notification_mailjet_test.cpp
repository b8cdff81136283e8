#include "notification/channels/mailjet_messages.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;
using namespace relais::notification;
using namespace std::chrono_literals;

namespace {

using ended_call = std::expected<rest::answer, rest::no_answer>;

ended_call answered(int status, std::string body,
                    std::vector<std::pair<std::string, std::string>> headers = {}) {
    return rest::answer{status, std::move(headers), std::move(body)};
}

ended_call broken(bool surely_not_sent) {
    return std::unexpected(rest::no_answer{
        surely_not_sent, error{error_kind::unavailable, "mailjet-gone", "", "", {}}});
}

constexpr auto success = R"({"Status":"success","CustomID":"n","To":[{"Email":"a@x.be",
    "MessageUUID":"cb92","MessageID":70650219165027410}],"Cc":[],"Bcc":[]})";

std::string item_error(std::string_view code, int status) {
    return R"({"Status":"error","Errors":[{"ErrorIdentifier":"8","ErrorCode":")" +
           std::string(code) + R"(","StatusCode":)" + std::to_string(status) +
           R"(,"ErrorMessage":"m","ErrorRelatedTo":["To[0].Email"]}]})";
}

std::string messages(std::initializer_list<std::string> items) {
    std::string out;
    for (const auto& item : items) {
        out += (out.empty() ? "" : ",") + item;
    }
    return R"({"Messages":[)" + out + "]}";
}

} // namespace

TEST_CASE("each mail of a Mailjet call has its own result, by index", "[notification]") {
    const auto body =
        messages({success, item_error("mj-0013", 400), item_error("send-0008", 403),
                  item_error("mj-9999", 500), R"({"Status":"SUCCESS","To":[]})", R"("nonsense")"});
    for (const int status : {200, 400}) {
        const auto found = read_mailjet_answer(answered(status, body), 6);
        REQUIRE(found.outcomes.size() == 6);
        CHECK_FALSE(found.refused_as_a_whole);
        CHECK(found.outcomes[0].result == send_result::accepted);
        CHECK(found.outcomes[0].provider_message_id == "70650219165027410");
        CHECK(found.outcomes[1].result == send_result::refused);
        CHECK(found.outcomes[1].reason == "mailjet-mj-0013");
        CHECK(found.outcomes[2].result == send_result::channel_refused);
        CHECK(found.outcomes[3].result == send_result::provider_error);
        CHECK(found.outcomes[4].result == send_result::accepted);
        CHECK(found.outcomes[5].result == send_result::ambiguous);
    }
}

TEST_CASE("Mailjet's answers to a call as a whole", "[notification]") {
    const std::string own = R"({"ErrorIdentifier":"x","ErrorCode":"mj-0002","StatusCode":400})";

    struct row {
        ended_call ended;
        send_result expected;
    };

    const std::vector<row> table{
        {answered(400, own), send_result::refused},
        {answered(413, ""), send_result::refused},
        {answered(401, R"({"ErrorIdentifier":"x","ErrorCode":"mj-0001"})"),
         send_result::channel_refused},
        {answered(403, "<html>"), send_result::channel_refused},
        {answered(429, "Rate limit exceeded"), send_result::throttled},
        {answered(503, "", {{"Retry-After", "3"}}), send_result::throttled},
        {answered(500, R"({"ErrorIdentifier":"x","StatusCode":500})"), send_result::provider_error},
        {answered(500, ""), send_result::ambiguous},
        {answered(502, "<html>bad gateway</html>"), send_result::ambiguous},
        {answered(524, own), send_result::ambiguous},
        {answered(200, R"({"Messages":[{"Stat)"), send_result::ambiguous},
        {answered(200, "<html>"), send_result::ambiguous},
        {answered(200, messages({success})), send_result::ambiguous}, // one result for two mails
        {broken(true), send_result::not_sent},
        {broken(false), send_result::ambiguous},
    };
    for (std::size_t i = 0; i < table.size(); ++i) {
        CAPTURE(i);
        const auto found = read_mailjet_answer(table[i].ended, 2);
        REQUIRE(found.outcomes.size() == 2);
        CHECK(found.outcomes[0].result == table[i].expected);
        CHECK(found.outcomes[1].result == table[i].expected);
        CHECK(found.refused_as_a_whole == (table[i].expected == send_result::refused));
    }
    const auto busy = read_mailjet_answer(answered(429, "", {{"Retry-After", "7"}}), 1);
    CHECK(busy.outcomes[0].wait == 7s);
}

TEST_CASE("Mailjet's answers to a look-up", "[notification]") {
    using enum look_up_outcome::finding;
    const auto found = read_mailjet_look_up(
        answered(200, R"({"Count":1,"Data":[{"ID":70650219165027410,"CustomID":"n"}],"Total":1})"));
    CHECK(found.what == sent);
    CHECK(found.provider_message_id == "70650219165027410");
    CHECK(read_mailjet_look_up(answered(200, R"({"Count":0,"Data":[],"Total":0})")).what ==
          not_there);
    CHECK(read_mailjet_look_up(answered(200, "<html>")).what == unknown);
    CHECK(read_mailjet_look_up(answered(200, "{}")).what == unknown);
    CHECK(read_mailjet_look_up(answered(429, "")).what == unknown);
    CHECK(read_mailjet_look_up(broken(true)).what == unknown);
}

TEST_CASE("the request to Mailjet", "[notification]") {
    outgoing one;
    one.id = *delivery_id::parse("0190f0b0-0000-7000-8000-000000000001");
    one.content = outgoing_mail{{"Élise \"D'Or\"", "elise@example.org"}, "fr", {"S", "<p>", "T"}};
    const std::vector<outgoing> batch{one};
    const auto body = mailjet_request(batch, {"Relais", "no-reply@relais.example"});
    CHECK(body ==
          R"({"AdvanceErrorHandling":true,"Globals":{"From":{"Email":"no-reply@relais.example",)"
          R"("Name":"Relais"},"TrackOpens":"disabled","TrackClicks":"disabled"},"Messages":[)"
          R"({"To":[{"Email":"elise@example.org","Name":"Élise \"D'Or\""}],"Subject":"S",)"
          R"("TextPart":"T","HTMLPart":"<p>","CustomID":"0190f0b0-0000-7000-8000-000000000001",)"
          R"("Headers":{"Auto-Submitted":"auto-generated","Content-Language":"fr"}}]})");
}
