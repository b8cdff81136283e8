#pragma once

#include "config/secret.hpp"
#include "inbox/consumer.hpp"

#include <functional>
#include <string>

namespace relais::notification {

struct consumer_tools {
    std::string service;
    config::secret address_key;         ///< for address_hash()
    std::function<void()> wake_senders; ///< may be called on any thread
};

/// What this service reacts to: contact and job snapshots become its own tables, the other events
/// ledger rows for everybody who is told, written in the transaction of the inbox.
void register_consumers(inbox::consumer& inbox, const consumer_tools& tools);

} // namespace relais::notification
