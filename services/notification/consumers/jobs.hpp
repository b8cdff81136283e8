#pragma once

#include "notification/consumers/consumers.hpp"

namespace relais::notification {

/// Tells the requester about an offer and the provider about its acceptance, by mail and push.
void register_job_events(inbox::consumer& inbox, const consumer_tools& tools);

} // namespace relais::notification
