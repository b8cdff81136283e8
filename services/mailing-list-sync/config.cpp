#include "mailing-list-sync/config.hpp"

#include "host/share.hpp"

namespace relais::mailing_list_sync {

settings read_settings(config::reader& from) {
    settings out;
    out.process = host::read_process_settings(from, "mailing-list-sync", "127.0.0.1:8441");
    out.listen = from.endpoint("RELAIS_LISTEN", "127.0.0.1:8440", "Where webhooks are received");
    out.database_url =
        from.text("RELAIS_DATABASE_URL", std::nullopt, "PostgreSQL URI of the service's database");
    out.database_connections = static_cast<std::size_t>(
        from.integer("RELAIS_DATABASE_CONNECTIONS", 4, 1, 64, "Database connections (threads)"));
    out.instances_max = static_cast<std::size_t>(from.integer(
        "RELAIS_INSTANCES_MAX", 2, 1, 100, "Most instances that may run at the same time"));
    out.kafka_brokers =
        from.text("RELAIS_KAFKA_BROKERS", "127.0.0.1:8461", "Kafka bootstrap servers");
    out.outbox = outbox::read_relay_options(from);
    out.brevo.url = from.url("RELAIS_BREVO_URL", "https://api.brevo.com", "Brevo's API");
    out.brevo.key = from.secret("RELAIS_BREVO_KEY", std::nullopt, "Brevo's API key");
    out.brevo.contact_calls_per_second =
        from.integer("RELAIS_BREVO_CONTACT_CALLS_PER_SECOND", 10, 1, 1'000,
                     "Calls a second the Brevo plan allows for contacts");
    out.brevo.other_calls_per_hour =
        from.integer("RELAIS_BREVO_OTHER_CALLS_PER_HOUR", 100, 1, 1'000'000,
                     "Calls an hour the Brevo plan allows for campaigns and webhooks");
    const auto public_url =
        from.url("RELAIS_PUBLIC_URL", "http://127.0.0.1:8400", "Base of the URLs we give out");
    out.webhook_url = public_url + "/webhooks/brevo";
    out.webhook_token = from.secret("RELAIS_BREVO_WEBHOOK_TOKEN", std::nullopt,
                                    "Bearer token that Brevo's webhooks carry");
    out.sender_name =
        from.text("RELAIS_MAIL_FROM_NAME", "Relais", "Name in the From field of campaigns");
    out.sender_email =
        from.text("RELAIS_MAIL_FROM", "noreply@relais.example", "Sender address of campaigns");
    out.templates_folder =
        from.text("RELAIS_CAMPAIGN_TEMPLATES_DIR", host::share_path("campaign-templates"),
                  "Folder with campaign templates (<name>.<language>.html)");
    return out;
}

} // namespace relais::mailing_list_sync
