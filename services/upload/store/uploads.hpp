#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"
#include "upload/domain/upload.hpp"

#include <string>
#include <vector>

namespace relais::upload::store {

/// Holds this person's grants until COMMIT, so that concurrent ones cannot pass the quota together;
/// returns how many uploads are open (granted, uploaded or verifying).
std::size_t hold_open_uploads(pg::transaction& tx, account_id owner);

void insert(pg::transaction& tx, const upload_record& value, const events::cause& why);

/// With its variants once it is ready. Error: `not_found` / "no-such-upload".
result<upload_record> find(pg::transaction& tx, upload_id id);

/// What made the upload happen, for events that follow.
events::cause cause_of(pg::transaction& tx, upload_id id);

/// The arrows: false when the upload was not in the state they start from (somebody was faster).
bool mark_uploaded(pg::transaction& tx, upload_id id, timestamp now);
bool mark_verifying(pg::transaction& tx, upload_id id, timestamp now);
bool mark_expired(pg::transaction& tx, upload_id id, timestamp now);
bool mark_rejected(pg::transaction& tx, upload_id id, const std::string& reason, timestamp now);
bool mark_ready(pg::transaction& tx, upload_id id, asset_id asset, const std::string& sha256,
                const std::vector<variant>& variants, timestamp now);

} // namespace relais::upload::store
