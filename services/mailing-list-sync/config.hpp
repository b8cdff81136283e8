#pragma once

#include "config/reader.hpp"
#include "host/process.hpp"
#include "mailing-list-sync/provider/brevo.hpp"
#include "outbox/relay_options.hpp"

#include <string>

namespace relais::mailing_list_sync {

struct settings {
    host::process_settings process;
    config::endpoint listen;
    std::string database_url;
    std::size_t database_connections = 4;
    std::size_t instances_max = 2;
    std::string kafka_brokers;
    outbox::relay_options outbox;
    brevo_settings brevo;
    std::string webhook_url;
    config::secret webhook_token;
    std::string sender_name;
    std::string sender_email;
    std::string templates_folder;
};

settings read_settings(config::reader& from);

} // namespace relais::mailing_list_sync
