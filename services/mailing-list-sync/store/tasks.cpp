#include "mailing-list-sync/store/tasks.hpp"

#include "mailing-list-sync/domain/waits.hpp"
#include "mailing-list-sync/store/cause.hpp"

namespace relais::mailing_list_sync {

void request_sync(pg::transaction& tx, const std::string& account_id, urgency how,
                  timestamp not_before, const events::cause& why) {
    tx.exec("insert into sync_task (account_id, wanted_version, urgency, not_before, traceparent,"
            " correlation_id, causation_id) values ($1, 1, $2, $3, $4, $5, $6)"
            " on conflict (account_id) do update set"
            " wanted_version = sync_task.wanted_version + 1,"
            " urgency = least(sync_task.urgency, excluded.urgency),"
            " not_before = least(sync_task.not_before, excluded.not_before), attempts = 0,"
            " traceparent = excluded.traceparent, correlation_id = excluded.correlation_id,"
            " causation_id = excluded.causation_id",
            {account_id, static_cast<int>(how), not_before, why.trace.traceparent(),
             why.correlation_id, why.causation_id});
}

std::vector<sync_task> lease_tasks(pg::transaction& tx, const std::string& owner, int at_most,
                                   timestamp now, std::chrono::seconds lease) {
    const auto taken = tx.exec(
        "update sync_task set leased_by = $1, leased_until = $2, attempts = attempts + 1"
        " where account_id in (select account_id from sync_task where (not_before <= $3"
        " or not_before > $5) and (leased_until is null or leased_until < $3 or leased_until > $5)"
        " order by urgency, not_before limit $4 for update skip locked)"
        " returning account_id, wanted_version, urgency, attempts, traceparent, correlation_id,"
        " causation_id",
        {owner, now + lease, now, at_most, now + believed_wait});
    std::vector<sync_task> out;
    for (const auto row : taken) {
        out.push_back({row.text(0), row.integer(1), static_cast<urgency>(row.integer(2)),
                       static_cast<int>(row.integer(3)), cause_at(row, 4)});
    }
    return out;
}

void release_leases(pg::transaction& tx, const std::string& owner) {
    tx.exec("update sync_task set leased_by = null, leased_until = null where leased_by = $1",
            {owner});
}

void finish_task(pg::transaction& tx, const sync_task& task) {
    const auto gone = tx.exec("delete from sync_task where account_id = $1 and wanted_version = $2",
                              {task.account_id, task.wanted_version});
    if (gone.affected() == 0) {
        tx.exec("update sync_task set leased_by = null, leased_until = null, attempts = 0"
                " where account_id = $1",
                {task.account_id});
    }
}

void retry_task(pg::transaction& tx, const sync_task& task, const std::string& reason,
                timestamp not_before) {
    tx.exec("update sync_task set leased_by = null, leased_until = null, last_error = $2,"
            " not_before = $3 where account_id = $1",
            {task.account_id, reason, not_before});
}

std::optional<timestamp> next_task_at(pg::transaction& tx) {
    return tx
        .exec("select min(greatest(not_before, coalesce(leased_until, not_before))) from sync_task")
        .front()
        .optional_time(0);
}

} // namespace relais::mailing_list_sync
