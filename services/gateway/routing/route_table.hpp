#pragma once

#include "config/reader.hpp"
#include "gateway/answers/answer_rules.hpp"
#include "gateway/cache/cached_answer.hpp"
#include "gateway/client_address/client_address.hpp"
#include "gateway/files/bucket_rules.hpp"
#include "gateway/files/static_rules.hpp"
#include "gateway/limits/gcra.hpp"
#include "gateway/listeners/listener_settings.hpp"
#include "gateway/routing/path_rewrite.hpp"
#include "gateway/tls/tls_client.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relais::gateway {

/// What happens to the client's Authorization field.
enum class credentials { exchange, forward };

struct upstream_target {
    config::endpoint address;
    config::endpoint admin;
    bool secure = false; ///< https://

    friend bool operator==(const upstream_target&, const upstream_target&) = default;
};

/// How connections to a service go through TLS.
struct upstream_security {
    tls_client_settings tls;
    std::string server_name; ///< what its certificate has to be for

    friend bool operator==(const upstream_security&, const upstream_security&) = default;
};

/// A service behind the gateway and where its instances are.
struct upstream_service {
    std::string name;
    std::vector<upstream_target> targets;
    std::size_t requests_max = 1024; ///< at a time, of each loop
    std::size_t waiting_max = 1024;  ///< of each loop, beyond those
    std::optional<upstream_security> security{};
    bool always_ready = false; ///< it has no /readyz
};

/// Whom a limit counts together.
enum class limit_subject { address, account, credential };

struct limit_rule {
    std::string name;     ///< as clients read it in RateLimit
    std::uint32_t id = 0; ///< of the name: what it has counted survives a new configuration
    limit_subject subject = limit_subject::address;
    rate allowed;
};

struct route {
    std::string prefix;
    std::size_t upstream = 0; ///< index in route_table::upstreams
    std::vector<std::string> methods;
    gateway::credentials credentials = gateway::credentials::exchange;
    std::chrono::milliseconds deadline{10'000};
    std::uint64_t body_max_bytes = 65'536;
    /// Protocols a client may switch to, in lower case: "websocket".
    std::vector<std::string> upgrades;
    bool cookie_sessions = false;    ///< the session cookie is as good as a bearer token
    bool long_work = false;          ///< the service answers 202 and works on
    bool failures_as_429 = false;    ///< of the service, for senders that give up after a 5xx
    std::vector<std::size_t> limits; ///< indexes in route_table::limits
    std::uint64_t cost = 1;          ///< of one request, in each of them
    std::uint32_t id = 0;            ///< of prefix and methods, as limit_rule::id
    std::chrono::milliseconds hedge_after{0}; ///< 0: requests go to one instance
    std::uint32_t uploads_max = 0;            ///< per account or address at a time; 0: any number
    /// What happens to its answers; null: nothing. Shared with no one, but tables are copied.
    std::shared_ptr<const answer_rules> answers;
    /// The directory that it serves; null: it has an upstream. Shared likewise.
    std::shared_ptr<const static_rules> files;
    std::shared_ptr<const bucket_rules> bucket; ///< that its upstream has; null: it is no store
    std::shared_ptr<const cache_policy> cache;  ///< null: its answers are not kept
    path_rewrite rewrite;
};

/// What the routes file means, checked. Immutable.
struct route_table {
    std::vector<upstream_service> upstreams;
    std::vector<route> routes;
    std::vector<limit_rule> limits;
    client_address_policy addresses;
    std::vector<std::string> trusted_origins; ///< of pages that may use the session cookie
    bool proxy_protocol = false;
    unsigned v6_prefix = 64;                       ///< of addresses that count as one
    std::uint32_t connections_per_address_max = 0; ///< 0: any number
    /// Shared with the edges, whose connections may outlive the table.
    std::vector<std::shared_ptr<const listener_settings>> listeners;
    ticket_key_settings ticket_keys;

    /// The longest prefix that allows the method. The cost does not grow with the number of routes.
    const route* find(std::string_view path, std::string_view method) const;

    /// Methods that some route allows at this path, sorted; empty: there is nothing there.
    std::vector<std::string> methods_at(std::string_view path) const;

    /// To be called once all routes are there.
    void index();

private:
    struct text_hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    std::unordered_map<std::string, std::vector<std::size_t>, text_hash, std::equal_to<>>
        by_prefix_;
};

bool allows(const route& found, std::string_view method);

/// Parses and checks the file's text; every problem goes to `from.problem()` with the place in the
/// file, so that all are reported together. The URL variables are read through `from`.
route_table read_route_table(const std::string& text, config::reader& from);

/// The same from a file.
route_table read_route_file(const std::string& path, config::reader& from);

} // namespace relais::gateway
