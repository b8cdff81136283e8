#pragma once

#include "config/reader.hpp"
#include "gateway/access/access_settings.hpp"
#include "gateway/drain_settings.hpp"
#include "gateway/listeners/own_listeners.hpp"
#include "gateway/routing/route_table.hpp"
#include "host/process.hpp"

#include <string>

namespace relais::gateway {

struct settings {
    host::process_settings process;
    own_listeners listen; ///< besides the routes file's
    route_table routes;
    std::string routes_file; ///< read again when it changes
    std::size_t connections_max = 4'096;
    std::size_t cache_bytes_max = 0; ///< of answers that are kept
    std::size_t loops = 1;           ///< event loops, a thread each
    std::string kafka_brokers;
    std::chrono::milliseconds bans_wait{2'000}; ///< for the bans, before it is ready
    drain_settings drain;
    access_settings access;
    config::secret identity_private_key;
};

settings read_settings(config::reader& from);

} // namespace relais::gateway
