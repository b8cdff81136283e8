#pragma once

#include "host/process.hpp"
#include "notification/channels/smtp_session.hpp"
#include "notification/delivery/policy.hpp"
#include "notification/domain/address.hpp"
#include "outbox/relay_options.hpp"

#include <string>

namespace relais::notification {

struct settings {
    host::process_settings process;
    config::endpoint listen;
    std::string database_url;
    std::size_t database_connections = 4;
    std::size_t instances_max = 2;
    std::string kafka_brokers;
    outbox::relay_options outbox;
    std::string public_url;
    std::string templates_folder;
    config::secret mail_token_key;

    bool sending_enabled = true;
    std::string mail_provider; ///< "mailjet" or "smtp"
    mailbox mail_from;
    std::chrono::milliseconds provider_timeout{10'000};
    delivery_policy policy;

    std::string mailjet_url;
    std::string mailjet_key;
    config::secret mailjet_secret;
    config::secret mailjet_webhook_token;
    smtp_settings smtp;
    std::string onesignal_url;
    std::string onesignal_app_id;
    config::secret onesignal_key;
    config::secret onesignal_webhook_token;
};

settings read_settings(config::reader& from);

} // namespace relais::notification
