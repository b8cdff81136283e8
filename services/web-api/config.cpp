#include "web-api/config.hpp"

#include <algorithm>
#include <thread>

namespace relais::web_api {

settings read_settings(config::reader& from) {
    settings read;
    read.process = host::read_process_settings(from, "web-api", "127.0.0.1:8411");
    read.listen = from.endpoint("RELAIS_LISTEN", "127.0.0.1:8410", "Where the API listens");
    read.database_url =
        from.text("RELAIS_DATABASE_URL", "postgresql://web_api@127.0.0.1:8460/web_api",
                  "PostgreSQL URI of the service's database");
    read.database_connections = static_cast<std::size_t>(
        from.integer("RELAIS_DATABASE_CONNECTIONS", 4, 1, 64, "Connections of an instance"));
    read.instances_max = static_cast<std::size_t>(from.integer(
        "RELAIS_INSTANCES_MAX", 2, 1, 100, "Instances of the service that may run at once"));
    read.kafka_brokers = from.text("RELAIS_KAFKA_BROKERS", "127.0.0.1:8461",
                                   "Kafka brokers, host:port, comma separated");
    read.outbox = outbox::read_relay_options(from);
    read.memcached = from.endpoint("RELAIS_MEMCACHED", "127.0.0.1:8463",
                                   "memcached; without it profiles come from the database");
    read.media_public_url =
        from.url("RELAIS_MEDIA_PUBLIC_URL", "http://127.0.0.1:8464/relais-media",
                 "What the keys of pictures are appended to");
    read.identity_public_key =
        from.key("RELAIS_IDENTITY_PUBLIC_KEY", 32, "Ed25519 key of the gateway's signed identity");
    read.mail_token_key = from.key("RELAIS_MAIL_TOKEN_KEY", 32,
                                   "Key of the tokens in mails, shared with notification");
    const auto half = std::max(1U, std::thread::hardware_concurrency() / 2);
    read.argon2_threads = static_cast<std::size_t>(from.integer(
        "RELAIS_ARGON2_THREADS", half, 1, 64, "Threads that hash passwords; half the cores"));
    return read;
}

} // namespace relais::web_api
