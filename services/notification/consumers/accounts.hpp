#pragma once

#include "notification/consumers/consumers.hpp"

namespace relais::notification {

/// Mails to prove an address, and to tell its owner about a repeated registration.
void register_account_events(inbox::consumer& inbox, const consumer_tools& tools);

} // namespace relais::notification
