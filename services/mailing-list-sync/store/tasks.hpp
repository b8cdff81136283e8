#pragma once

#include "events/event.hpp"
#include "mailing-list-sync/domain/rate_limit.hpp"
#include "postgres/transaction.hpp"

#include <string>
#include <vector>

namespace relais::mailing_list_sync {

/// Asks for one person to be made equal at the provider. Asking again while a task waits or runs
/// only raises its version: N events become one call, and a change during a call is not lost.
void request_sync(pg::transaction& tx, const std::string& account_id, urgency how,
                  timestamp not_before, const events::cause& why);

struct sync_task {
    std::string account_id;
    std::int64_t wanted_version = 0;
    urgency how = urgency::edit;
    int attempts = 0;
    events::cause why;
};

/// Takes due tasks, the urgent first, for this worker; at most one worker has a person at a time.
/// The attempt is counted here, before the call, so that a crash loop is seen.
std::vector<sync_task> lease_tasks(pg::transaction& tx, const std::string& owner, int at_most,
                                   timestamp now, std::chrono::seconds lease);

/// Gives back what an earlier life of this worker held when it was killed.
void release_leases(pg::transaction& tx, const std::string& owner);

/// Done: the task goes, unless more was asked meanwhile.
void finish_task(pg::transaction& tx, const sync_task& task);
void retry_task(pg::transaction& tx, const sync_task& task, const std::string& reason,
                timestamp not_before);

/// When the next task is due; nullopt: none waits.
std::optional<timestamp> next_task_at(pg::transaction& tx);

} // namespace relais::mailing_list_sync
