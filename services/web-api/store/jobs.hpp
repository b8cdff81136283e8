#pragma once

#include "postgres/transaction.hpp"
#include "web-api/domain/cursor.hpp"
#include "web-api/domain/money.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

struct job {
    job_id id;
    account_id requester;
    std::string state;
    std::uint64_t version = 1;
    std::uint64_t snapshot_version = 1;
    std::string category;
    std::string locality;
    std::string title;
    std::string description;
    money budget;
    std::optional<offer_id> accepted_offer;
    timestamp published_at;
};

void insert_job(pg::transaction& tx, const job& value);

std::optional<job> find_job(pg::transaction& tx, job_id id);

/// The same, and its state stays what it is until the transaction ends: an offer cannot slip in
/// behind the acceptance of another one.
std::optional<job> hold_job(pg::transaction& tx, job_id id);

/// The jobs that are open, newest first.
struct job_filter {
    std::optional<std::string> category;
    std::optional<std::string> locality;
};

/// At most `limit` jobs behind the position.
std::vector<job> list_open_jobs(pg::transaction& tx, const job_filter& filter,
                                const list_position& after, std::size_t limit);

/// Goes through with the transition "assign" when the job's state allows it at this very moment:
/// false when it does not (any more). Locks the job; offers are locked after it, never before.
bool assign_job(pg::transaction& tx, job_id id, offer_id accepted);

} // namespace relais::web_api::store
