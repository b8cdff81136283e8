#include "gateway/config.hpp"

#include "host/share.hpp"

#include <algorithm>
#include <thread>

namespace relais::gateway {

settings read_settings(config::reader& from) {
    settings out;
    out.process = host::read_process_settings(from, "gateway", "127.0.0.1:8401");
    out.routes_file = from.text("RELAIS_ROUTES_FILE", host::share_path("gateway/routes.textproto"),
                                "The routes (form: proto/relais/edge/v1/routes.proto)");
    out.routes = read_route_file(out.routes_file, from);
    const bool has_others = !out.routes.listeners.empty();
    out.listen.http = from.endpoint(
        "RELAIS_LISTEN", has_others ? "" : "127.0.0.1:8400",
        "Where clients connect without TLS; empty, when the routes file has listeners: there only");
    out.listen.h2c = from.endpoint("RELAIS_LISTEN_H2C", "",
                                   "Where clients connect that speak HTTP/2 without TLS from the "
                                   "first byte; empty: nowhere");
    out.connections_max = static_cast<std::size_t>(from.integer(
        "RELAIS_CONNECTIONS_MAX", 4'096, 1, 1'000'000, "Most client connections at a time"));
    out.loops = static_cast<std::size_t>(
        from.integer("RELAIS_LOOPS", 0, 0, 256,
                     "Event loops that serve clients, a thread each; 0: one per core"));
    if (out.loops == 0) {
        out.loops = std::max(1U, std::thread::hardware_concurrency());
    }
    out.cache_bytes_max = static_cast<std::size_t>(
        from.integer("RELAIS_CACHE_BYTES", std::int64_t{64} << 20, 0, std::int64_t{1} << 40,
                     "Memory for answers of routes with a cache, in all"));
    out.kafka_brokers =
        from.text("RELAIS_KAFKA_BROKERS", "127.0.0.1:8461", "Kafka bootstrap servers");
    out.bans_wait =
        from.duration_ms("RELAIS_BANS_WAIT", std::chrono::milliseconds(2'000),
                         "How long to wait at the start, not ready, for the bans in force");
    out.process.takeover_socket =
        from.text("RELAIS_TAKEOVER_SOCKET", "",
                  "Path of a socket at which the next process takes the listening sockets over, so "
                  "that a restart refuses nobody; empty: none");
    constexpr std::size_t socket_path_max = 90; // sun_path, with room for a temporary name
    if (out.process.takeover_socket.size() > socket_path_max) {
        from.problem("RELAIS_TAKEOVER_SOCKET", "at most 90 characters");
    }
    out.process.takeover_ready_within = from.duration_ms(
        "RELAIS_TAKEOVER_READY_WITHIN", out.process.takeover_ready_within,
        "How long a process that takes over may take to be ready; then it gives up and ends, and "
        "the one before it goes on");
    out.drain.requests = from.duration_ms("RELAIS_DRAIN_REQUESTS_MAX_MS", out.drain.requests,
                                          "How long a stop waits for requests that are under way");
    out.drain.uploads_max = from.duration_ms(
        "RELAIS_DRAIN_UPLOADS_MAX_MS", out.drain.uploads_max,
        "How long it waits while there are uploads; RELAIS_STOP_LIMIT grows to fit");
    constexpr std::chrono::milliseconds rest_of_stop{5'000};
    out.process.stop_limit = std::max(
        out.process.stop_limit, std::max(out.drain.requests, out.drain.uploads_max) + rest_of_stop);
    out.access = read_access_settings(from);
    out.access.instance = out.process.instance;
    out.access.kafka_brokers = out.kafka_brokers;
    out.identity_private_key =
        from.key("RELAIS_IDENTITY_PRIVATE_KEY", 32, "Ed25519 key that signs the internal identity");
    return out;
}

} // namespace relais::gateway
