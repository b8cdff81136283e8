#include "notification/channels/email_smtp.hpp"
#include "notification_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::notification;
using test::notification_rig;
namespace json = boost::json;

namespace {

struct smtp_rig {
    explicit smtp_rig(starttls tls = starttls::never) {
        smtp_settings settings;
        settings.url = rig.sandbox.url_of("smtp");
        settings.tls = tls;
        settings.timeout = std::chrono::seconds(3);
        rig.mail_channel->stop();
        rig.mail_channel = std::make_unique<email_smtp>(
            settings, mailbox{"Relais", "no-reply@relais.example"}, rig.metrics);
        set({{"smtp_starttls", "optional"}, {"smtp_greylist", false}});
    }

    ~smtp_rig() {
        set({{"smtp_starttls", "optional"}, {"smtp_greylist", false}});
    }

    smtp_rig(const smtp_rig&) = delete;
    smtp_rig& operator=(const smtp_rig&) = delete;

    void set(json::object values) {
        test::await_on(rig.loop, rig.sandbox.post("/settings", std::move(values)));
    }

    void deliver() {
        rig.start();
        rig.request_validation();
        rig.wait_until_settled();
    }

    notification_rig rig;
};

} // namespace

TEST_CASE("a mail by SMTP", "[notification][serial]") {
    smtp_rig smtp;
    smtp.deliver();
    const auto mails = smtp.rig.mails();
    REQUIRE(mails.size() == 1);
    const auto& mail = mails.front().as_object();
    CHECK(mail.at("provider").as_string() == "smtp");
    CHECK(mail.at("subject").as_string() == "Bevestig je e-mailadres voor Relais");
    CHECK(mail.at("from").as_string() == "Relais <no-reply@relais.example>");
    CHECK(mail.at("language").as_string() == "nl");
    const std::string text(mail.at("text").as_string());
    CHECK(text.find("Eén") == std::string::npos);
    CHECK(text.find("één keer worden gebruikt") != std::string::npos);
    CHECK(std::string(mail.at("html").as_string()).find("</html>") != std::string::npos);
    CHECK(smtp.rig.ledger("provider") == "smtp");
    CHECK(smtp.rig.ledger("provider_message_id") == mail.at("provider_id").as_string());
}

TEST_CASE("lost after the final point: the same message once more, never a third time",
          "[notification][serial]") {
    smtp_rig smtp;
    const int times = GENERATE(1, 2);
    CAPTURE(times);
    smtp.rig.fault(
        {{"provider", "smtp"}, {"route", "DATA"}, {"fault", "drop_final_dot"}, {"times", times}});
    smtp.deliver();
    const auto mails = smtp.rig.mails();
    // SMTP cannot say whether the first arrived; the Message-ID tells the reader's server.
    REQUIRE(mails.size() == 2);
    CHECK(mails[0].as_object().at("provider_id") == mails[1].as_object().at("provider_id"));
    CHECK(smtp.rig.ledger("resends") == "1");
    CHECK(smtp.rig.ledger("state") == (times == 1 ? "accepted" : "failed"));
    CHECK(smtp.rig.ledger("reason") == (times == 1 ? "<null>" : "outcome-unknown"));
}

TEST_CASE("a server that says later gets the mail later", "[notification][serial]") {
    smtp_rig smtp;
    smtp.set({{"smtp_greylist", true}});
    smtp.deliver();
    CHECK(smtp.rig.mails().size() == 1);
    CHECK(smtp.rig.ledger("attempts") == "2");
}

TEST_CASE("a server that refuses the address ends it", "[notification][serial]") {
    smtp_rig smtp;
    test::await_on(smtp.rig.loop,
                   smtp.rig.sandbox.post("/recipients", json::object{{"email", smtp.rig.address},
                                                                     {"outcome", "hard_bounce"}}));
    smtp.deliver();
    CHECK(smtp.rig.mails().empty());
    CHECK(smtp.rig.ledger("state") == "failed");
    CHECK(smtp.rig.ledger("reason") == "smtp-550");
}

TEST_CASE("without STARTTLS nothing is said in clear text", "[notification][serial]") {
    smtp_rig smtp(starttls::required);
    smtp.set({{"smtp_starttls", "absent"}});
    smtp.rig.start();
    smtp.rig.request_validation();
    smtp.rig.wait_until("select deferrals > 0 from delivery", "t");
    CHECK(smtp.rig.mails().empty());
    CHECK(smtp.rig.metrics.serialize().find("notification_channel_refused{channel=\"mail\","
                                            "provider=\"smtp\"} 1") != std::string::npos);
}
