#include "notification/domain/address.hpp"
#include "notification/domain/feedback.hpp"
#include "notification/domain/language.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;
using namespace relais::notification;

TEST_CASE("the longest beginning of a locale that we write in", "[notification]") {
    struct row {
        std::string locale;
        std::string expected;
    };

    const std::vector<row> table{
        {"nl", "nl"},    {"nl-BE", "nl"}, {"NL_be", "nl"},
        {"fr-BE", "fr"}, {"de-AT", "de"}, {"de-Latn-DE-x-a", "de"},
        {"en-GB", "en"}, {"es", "en"},    {"", "en"},
        {"nld", "en"},   {"-", "en"},     {"zh-Hant", "en"},
    };
    for (const auto& expected : table) {
        CAPTURE(expected.locale);
        CHECK(language_for(expected.locale) == expected.expected);
    }
}

TEST_CASE("mailboxes", "[notification]") {
    CHECK(parse_mailbox("a@b.example") == mailbox{"", "a@b.example"});
    CHECK(parse_mailbox(" Relais  <a@b.example> ") == mailbox{"Relais", "a@b.example"});
    CHECK(parse_mailbox("\"Re, lais\" <a@b.example>") == mailbox{"Re, lais", "a@b.example"});
    for (const auto* bad : {"", "a", "@b", "a@", "a b@c", "a@b\r\nBcc: c@d", "<a@b", "x <a@b> y",
                            "Re\nlais <a@b>", "a@b>", "<<a@b>>"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_mailbox(bad));
    }
    CHECK(normalised_address(" Some.One@Example.ORG ") == "some.one@example.org");
    CHECK(domain_of("a@b@c.example") == "c.example");
}

TEST_CASE("Mailjet's events in our words", "[notification]") {
    struct row {
        mailjet_words words;
        feedback expected;
    };

    const std::vector<row> table{
        {{"sent"}, feedback::delivered},
        {{"open"}, feedback::opened},
        {{"click"}, feedback::clicked},
        {{"spam"}, feedback::complained},
        {{"unsub"}, feedback::unsubscribed},
        {{"blocked", false, "mailjet", "preblocked"}, feedback::rejected},
        {{"bounce", true, "recipient", "user unknown"}, feedback::bounced_hard},
        {{"bounce", true, "domain", "invalid domain"}, feedback::bounced_hard},
        {{"bounce", false, "recipient", "quota exceeded"}, feedback::bounced_soft},
        {{"bounce", false, "domain", "greylisted"}, feedback::deferred},
        {{"bounce", true, "domain", "greylisted"}, feedback::deferred},
        {{"bounce", true, "content", "bad or empty template"}, feedback::rejected},
        {{"bounce", true, "spam", "content blocked"}, feedback::rejected},
        {{"something new"}, feedback::other},
    };
    for (const auto& expected : table) {
        CAPTURE(expected.words.event, expected.words.error);
        CHECK(from_mailjet(expected.words) == expected.expected);
    }
}

TEST_CASE("what an event does to an address", "[notification]") {
    using enum health_change::scope;
    CHECK(judge(feedback::bounced_hard, "user unknown", {})->suppress == all);
    CHECK_FALSE(judge(feedback::bounced_hard, "user unknown", {})->suppress_for);
    CHECK(judge(feedback::complained, "", {})->suppress == activity);
    CHECK(judge(feedback::rejected, "preblocked", {})->suppress == all);
    CHECK(judge(feedback::rejected, "spam reporter", {})->suppress == activity);
    CHECK_FALSE(judge(feedback::rejected, "content blocked", {}));
    CHECK_FALSE(judge(feedback::deferred, "greylisted", {4}));
    CHECK_FALSE(judge(feedback::opened, "", {4}));
    CHECK_FALSE(judge(feedback::delivered, "", {0}));

    const auto fourth = judge(feedback::bounced_soft, "quota exceeded", {3});
    CHECK(fourth->soft_bounces == 4);
    CHECK_FALSE(fourth->suppress);
    const auto fifth = judge(feedback::bounced_soft, "quota exceeded", {4});
    CHECK(fifth->suppress == all);
    CHECK(fifth->suppress_for == std::chrono::hours(24 * 30));
    CHECK(judge(feedback::delivered, "", {4})->soft_bounces == 0);
}
