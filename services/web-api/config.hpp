#pragma once

#include "config/reader.hpp"
#include "host/process.hpp"
#include "outbox/relay_options.hpp"

#include <string>

namespace relais::web_api {

/// The configuration of the service; `relais-web-api --help-config` documents it.
struct settings {
    host::process_settings process;
    config::endpoint listen;
    std::string database_url;
    std::size_t database_connections = 0;
    std::size_t instances_max = 0;
    std::string kafka_brokers;
    outbox::relay_options outbox;
    config::endpoint memcached;
    std::string media_public_url;
    config::secret identity_public_key;
    config::secret mail_token_key;
    std::size_t argon2_threads = 0;
};

settings read_settings(config::reader& from);

} // namespace relais::web_api
