#pragma once

#include "config/reader.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// What happens to the client's Authorization field.
enum class credentials { exchange, forward };

struct upstream_target {
    config::endpoint address;
    config::endpoint admin;
};

/// A service behind the gateway and where its instances are.
struct upstream_service {
    std::string name;
    std::vector<upstream_target> targets;
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
    bool failures_as_429 = false; ///< of the service, for senders that give up after a 5xx
};

/// What the routes file means, checked. Immutable.
struct route_table {
    std::vector<upstream_service> upstreams;
    std::vector<route> routes; ///< longest prefix first

    /// nullptr: no route has this path.
    const route* find(std::string_view path) const;
};

bool allows(const route& found, std::string_view method);

/// Parses and checks the file's text; every problem goes to `from.problem()` with the place in the
/// file, so that all are reported together. The URL variables are read through `from`.
route_table read_route_table(const std::string& text, config::reader& from);

/// The same from a file.
route_table read_route_file(const std::string& path, config::reader& from);

} // namespace relais::gateway
