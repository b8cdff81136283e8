#pragma once

#include "postgres/transaction.hpp"
#include "web-api/store/publish.hpp"

namespace relais::web_api::store {

using validation_id = id<struct email_validation_tag>;

/// Writes the row of a new validation and publishes EmailValidationRequested.
void request_email_validation(pg::transaction& tx, account_id account,
                              std::uint64_t contact_version, const origin& from);

/// Whether a token that was mailed to this account can still be used.
bool has_open_validation(pg::transaction& tx, account_id account, timestamp now);

/// Uses it up and says whose it is. Errors: `conflict` / "already-used"; `invalid` /
/// "invalid-token" when there is no such row.
result<account_id> use_validation(pg::transaction& tx, validation_id validation, timestamp now);

} // namespace relais::web_api::store
