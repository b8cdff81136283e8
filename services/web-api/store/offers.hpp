#pragma once

#include "postgres/transaction.hpp"
#include "web-api/domain/cursor.hpp"
#include "web-api/domain/money.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

struct offer {
    offer_id id;
    job_id job;
    account_id provider;
    std::string state;
    money price;
    std::string message;
    timestamp made_at;
    std::optional<timestamp> decided_at;
};

void insert_offer(pg::transaction& tx, const offer& value);

std::optional<offer> find_offer(pg::transaction& tx, offer_id id);

/// Newest first, at most `limit` behind the position.
std::vector<offer> list_offers(pg::transaction& tx, job_id job, const list_position& after,
                               std::size_t limit);

/// How many undecided offers a provider has on a job.
std::size_t open_offers_of(pg::transaction& tx, job_id job, account_id provider);

/// The transition "accept", if the offer's state allows it at this moment; false when it does not.
/// Call it with the job locked (assign_job).
bool accept_offer(pg::transaction& tx, offer_id id, timestamp now);

/// The transition "supersede" for every other offer of the job that can make it; returns them.
std::vector<offer_id> supersede_offers(pg::transaction& tx, job_id job, offer_id accepted,
                                       timestamp now);

} // namespace relais::web_api::store
