#pragma once

#include "inbox/consumer.hpp"
#include "log/logger.hpp"

#include <functional>
#include <string>

namespace relais::mailing_list_sync {

/// What the handlers of events need beside the transaction.
struct consumer_tools {
    std::string service;
    std::function<void()> wake_contact_sync;  ///< from any thread
    std::function<void()> wake_campaign_sync; ///< from any thread
    std::function<bool(const std::string& name)> knows_template;
};

/// Registers everything this service listens to.
void register_consumers(inbox::consumer& inbox, const consumer_tools& tools);

} // namespace relais::mailing_list_sync
