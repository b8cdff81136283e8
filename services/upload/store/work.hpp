#pragma once

#include "postgres/transaction.hpp"
#include "upload/domain/upload.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace relais::upload::store {

/// Something is to be done about this upload, now. Asking again while it is being done is not lost:
/// finish_work() then leaves the row for another look.
void request_work(pg::transaction& tx, upload_id id, timestamp now);

/// As request_work(), for what the store tells: only when there is such an upload with that key.
bool request_work_for_object(pg::transaction& tx, upload_id id, const std::string& object_key,
                             timestamp now);

/// nullopt: nothing is to be done about it.
std::optional<open_work> find_work(pg::transaction& tx, upload_id id);

/// A row that this instance holds.
struct work_claim {
    upload_id upload;
    int hints = 0;
    int tries = 0;    ///< that may be the picture's fault, this one included
    int failures = 0; ///< in a row, whoever's fault
    std::int64_t fence = 0;
};

/// Takes due rows that nobody holds (SKIP LOCKED), and none `in_hand`: a wall clock that is set
/// forward ends claims before their time.
std::vector<work_claim> claim_work(pg::transaction& tx, const uuid& holder, std::size_t at_most,
                                   timestamp now, std::chrono::seconds lease,
                                   const std::set<upload_id>& in_hand);

/// For what this instance still works on. Call it at least twice per lease.
void renew_claims(pg::transaction& tx, const uuid& holder, const std::set<upload_id>& uploads,
                  timestamp until);

/// Nothing is left to do: the row goes, unless somebody asked meanwhile.
void finish_work(pg::transaction& tx, const work_claim& claim, timestamp now);

/// Later again. `counts`: whether this try counts against the picture (a store that is down does
/// not).
void postpone_work(pg::transaction& tx, const work_claim& claim, const std::string& reason,
                   bool counts, timestamp due_at);

/// Gives back what was not finished, at a stop.
void release_claims(pg::transaction& tx, const uuid& holder, timestamp now);

/// When the next row is due that nobody holds, or a claim runs out.
std::optional<timestamp> next_work_at(pg::transaction& tx);

} // namespace relais::upload::store
