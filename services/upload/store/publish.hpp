#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"
#include "upload/domain/upload.hpp"

namespace relais::upload::store {

/// The events of an upload, appended to the outbox in the caller's transaction, which must be the
/// one that makes the change they tell of.
void publish_granted(pg::transaction& tx, const upload_record& value, const events::cause& why,
                     timestamp now);
void publish_expired(pg::transaction& tx, const upload_record& value, timestamp now);
void publish_rejected(pg::transaction& tx, const upload_record& value, const std::string& reason,
                      timestamp now);
/// `value` with asset and variants set.
void publish_ready(pg::transaction& tx, const upload_record& value, const std::string& sha256,
                   timestamp now);

} // namespace relais::upload::store
