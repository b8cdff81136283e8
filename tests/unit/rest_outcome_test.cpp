#include "rest/outcome.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

namespace rest = relais::rest;
using relais::error_kind;
using rest::retry_class;

namespace {

rest::answer answer_with(int status,
                         std::vector<std::pair<std::string, std::string>> headers = {}) {
    return {status, std::move(headers), ""};
}

} // namespace

TEST_CASE("a broken call is not sent until its head is written", "[rest]") {
    struct row {
        rest::broken_call broken;
        bool not_sent;
        error_kind kind;
        std::string slug;
    };

    const std::vector<row> table{
        {{false, false, false, "refused"}, true, error_kind::unavailable, "mailjet-unreachable"},
        {{false, true, false, "connect"}, true, error_kind::timeout, "mailjet-timeout"},
        {{true, false, false, "reset"}, false, error_kind::unavailable, "mailjet-connection-lost"},
        {{true, true, false, "late"}, false, error_kind::timeout, "mailjet-timeout"},
        {{true, false, true, "big"}, false, error_kind::too_large, "mailjet-answer-too-large"},
    };
    for (const auto& expected : table) {
        CAPTURE(expected.broken.what);
        const auto found = rest::classify(expected.broken, "mailjet");
        CHECK(found.surely_not_sent == expected.not_sent);
        CHECK(found.reason.kind == expected.kind);
        CHECK(found.reason.slug == expected.slug);
        CHECK(rest::class_of(found) ==
              (expected.not_sent ? retry_class::retry_safe : retry_class::ambiguous));
    }
}

TEST_CASE("the retry class of an answer", "[rest]") {
    struct row {
        rest::answer given;
        bool own_body;
        retry_class expected;
    };

    const std::vector<row> table{
        {answer_with(200), true, retry_class::accepted},
        {answer_with(204), false, retry_class::accepted},
        {answer_with(400), true, retry_class::permanent_item},
        {answer_with(404), false, retry_class::permanent_item},
        {answer_with(422), true, retry_class::permanent_item},
        {answer_with(301), false, retry_class::permanent_item},
        {answer_with(401), true, retry_class::permanent_channel},
        {answer_with(402), true, retry_class::permanent_channel},
        {answer_with(403), false, retry_class::permanent_channel},
        {answer_with(408), false, retry_class::ambiguous},
        {answer_with(425), false, retry_class::retry_safe},
        {answer_with(429), false, retry_class::retry_safe},
        {answer_with(500), true, retry_class::provider_error},
        {answer_with(500), false, retry_class::ambiguous},
        {answer_with(502), false, retry_class::ambiguous},
        {answer_with(503, {{"Retry-After", "7"}}), false, retry_class::retry_safe},
        {answer_with(503), false, retry_class::ambiguous},
        {answer_with(503), true, retry_class::provider_error},
        {answer_with(504), true, retry_class::ambiguous},
        {answer_with(524), true, retry_class::ambiguous},
    };
    for (const auto& expected : table) {
        CAPTURE(expected.given.status, expected.own_body);
        CHECK(rest::class_of(expected.given, expected.own_body) == expected.expected);
    }
}
