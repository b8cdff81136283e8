#pragma once

#include "notification/consumers/consumers.hpp"

namespace relais::notification {

/// Keeps the contact and job tables; erasure empties them and ends what is still to be sent.
void register_snapshots(inbox::consumer& inbox, const consumer_tools& tools);

} // namespace relais::notification
