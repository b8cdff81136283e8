#include "notification/consumers/consumers.hpp"

#include "notification/consumers/accounts.hpp"
#include "notification/consumers/jobs.hpp"
#include "notification/consumers/snapshots.hpp"

namespace relais::notification {

void register_consumers(inbox::consumer& inbox, const consumer_tools& tools) {
    register_snapshots(inbox, tools);
    register_account_events(inbox, tools);
    register_job_events(inbox, tools);
}

} // namespace relais::notification
