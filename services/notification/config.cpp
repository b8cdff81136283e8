#include "notification/config.hpp"

#include "host/share.hpp"

namespace relais::notification {
namespace {

mailbox read_sender(config::reader& from) {
    const auto text =
        from.text("RELAIS_MAIL_FROM", "no-reply@relais.example", "Sender's address of all mails");
    auto sender = parse_mailbox(text);
    if (!sender) {
        from.problem("RELAIS_MAIL_FROM", "expected an e-mail address");
        return {};
    }
    const auto name = from.text("RELAIS_MAIL_FROM_NAME", "Relais",
                                "Sender's name, and the brand that mails speak of");
    return {sender->name.empty() ? name : sender->name, sender->address};
}

void read_mailjet(config::reader& from, settings& out, bool used) {
    const auto unless_used = used ? std::nullopt : std::optional<std::string>("");
    out.mailjet_url = from.url("RELAIS_MAILJET_URL", "https://api.mailjet.com", "Mailjet's API");
    out.mailjet_key = from.text("RELAIS_MAILJET_KEY", unless_used, "Mailjet's API key");
    out.mailjet_secret = from.secret("RELAIS_MAILJET_SECRET", unless_used, "Mailjet's secret key");
    out.mailjet_webhook_token =
        from.secret("RELAIS_MAILJET_WEBHOOK_TOKEN", "",
                    "Password in the URL that Mailjet's events are sent to; empty: refused");
}

void read_smtp(config::reader& from, settings& out, bool used) {
    out.smtp.url = from.text("RELAIS_SMTP_URL", "smtp://127.0.0.1:8455",
                             "SMTP relay: smtp://host:port or smtps://host:port");
    const bool known = out.smtp.url.starts_with("smtp://") || out.smtp.url.starts_with("smtps://");
    if (used && !known) {
        from.problem("RELAIS_SMTP_URL", "expected smtp://host:port or smtps://host:port");
    }
    out.smtp.user = from.text("RELAIS_SMTP_USER", "", "User at the relay; empty: none");
    out.smtp.password = from.secret("RELAIS_SMTP_PASSWORD", "", "Password at the relay");
    const auto tls = from.choice("RELAIS_SMTP_STARTTLS", {"required", "optional", "never"},
                                 "required", "What if the relay does not offer STARTTLS");
    out.smtp.tls = tls == "required"   ? starttls::required
                   : tls == "optional" ? starttls::optional
                                       : starttls::never;
    out.smtp.ca_file =
        from.text("RELAIS_SMTP_CA_FILE", "", "Certificates to trust; empty: the system's");
    out.smtp.timeout = out.provider_timeout;
}

void read_onesignal(config::reader& from, settings& out) {
    out.onesignal_url =
        from.url("RELAIS_ONESIGNAL_URL", "https://api.onesignal.com", "OneSignal's API");
    out.onesignal_app_id =
        from.text("RELAIS_ONESIGNAL_APP_ID", std::nullopt, "OneSignal's app id (UUID)");
    out.onesignal_key =
        from.secret("RELAIS_ONESIGNAL_KEY", std::nullopt, "OneSignal's app API key");
    out.onesignal_webhook_token =
        from.secret("RELAIS_ONESIGNAL_WEBHOOK_TOKEN", "",
                    "Bearer token that OneSignal's events carry; empty: refused");
}

void read_policy(config::reader& from, settings& out) {
    out.provider_timeout = from.duration_ms("RELAIS_PROVIDER_TIMEOUT", std::chrono::seconds(10),
                                            "Limit of a call to a provider");
    const auto first =
        from.duration_ms("RELAIS_MAIL_LOOK_UP_FIRST", out.policy.look_up_waits.front(),
                         "Until a mail whose call broke off is looked up at Mailjet");
    const auto second =
        from.duration_ms("RELAIS_MAIL_LOOK_UP_SECOND", out.policy.look_up_waits.back(),
                         "From there to the second look, after which it is sent again");
    out.policy.look_up_waits = {first, second};
}

} // namespace

settings read_settings(config::reader& from) {
    settings out;
    out.process = host::read_process_settings(from, "notification", "127.0.0.1:8431");
    out.listen = from.endpoint("RELAIS_LISTEN", "127.0.0.1:8430", "Where webhooks are received");
    out.database_url =
        from.text("RELAIS_DATABASE_URL", std::nullopt, "PostgreSQL URI of the service's database");
    out.database_connections = static_cast<std::size_t>(
        from.integer("RELAIS_DATABASE_CONNECTIONS", 4, 1, 64, "Database connections (threads)"));
    out.instances_max = static_cast<std::size_t>(from.integer(
        "RELAIS_INSTANCES_MAX", 2, 1, 100, "Most instances that may run at the same time"));
    out.kafka_brokers =
        from.text("RELAIS_KAFKA_BROKERS", "127.0.0.1:8461", "Kafka bootstrap servers");
    out.outbox = outbox::read_relay_options(from);
    out.public_url =
        from.url("RELAIS_PUBLIC_URL", "http://127.0.0.1:8400", "Base of the links in messages");
    out.templates_folder =
        from.text("RELAIS_TEMPLATES_DIR", host::share_path("templates/notification"),
                  "Folder with templates and texts");
    out.mail_token_key =
        from.key("RELAIS_MAIL_TOKEN_KEY", 32, "Key of the tokens in mails, shared with web-api");
    out.sending_enabled =
        from.boolean("RELAIS_SENDING_ENABLED", true,
                     "false: nothing is sent (a copy that was restored from a backup)");
    out.mail_from = read_sender(from);
    read_policy(from, out);
    out.mail_provider = from.choice("RELAIS_MAIL_PROVIDER", {"mailjet", "smtp"}, "mailjet",
                                    "Which provider mails go through");
    read_mailjet(from, out, out.mail_provider == "mailjet");
    read_smtp(from, out, out.mail_provider == "smtp");
    read_onesignal(from, out);
    return out;
}

} // namespace relais::notification
