#pragma once

#include "postgres/transaction.hpp"
#include "web-api/store/consents.hpp"

namespace relais::web_api::store {

/// Takes down what was said about a purpose: by the rule of is_new_consent() either nothing
/// changes, or a row is added, the next contact snapshot and ConsentChanged are published. Returns
/// the row that holds afterwards. Errors: `not_found` / "account-not-found", and those of
/// is_new_consent().
result<consent> record_consent(pg::transaction& tx, const consent_entry& entry,
                               consent_source source, const origin& from);

} // namespace relais::web_api::store
