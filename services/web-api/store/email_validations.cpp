#include "web-api/store/email_validations.hpp"

#include "relais/identity/v1/account_events.pb.h"
#include "web-api/domain/email_validation.hpp"
#include "web-api/store/protobuf_time.hpp"

namespace relais::web_api::store {

void request_email_validation(pg::transaction& tx, account_id account,
                              std::uint64_t contact_version, const origin& from) {
    const auto validation = validation_id::make();
    const auto expires_at = email_validation_expiry(from.now);
    tx.exec("INSERT INTO email_validation (id, account_id, requested_at, expires_at) "
            "VALUES ($1, $2, $3, $4)",
            {validation, account, from.now, expires_at});
    identity::v1::EmailValidationRequested requested;
    requested.set_account_id(account.text());
    requested.set_validation_id(validation.text());
    *requested.mutable_expires_at() = to_protobuf(expires_at);
    publish(tx, requested, from,
            {.needs = {needs_contact(account, contact_version)}, .expires_at = expires_at});
}

bool has_open_validation(pg::transaction& tx, account_id account, timestamp now) {
    return !tx.exec("SELECT FROM email_validation "
                    "WHERE account_id = $1 AND expires_at > $2 AND used_at IS NULL LIMIT 1",
                    {account, now})
                .empty();
}

result<account_id> use_validation(pg::transaction& tx, validation_id validation, timestamp now) {
    const auto used = tx.exec("UPDATE email_validation SET used_at = $2 "
                              "WHERE id = $1 AND used_at IS NULL RETURNING account_id",
                              {validation, now});
    if (!used.empty()) {
        return used.front().id_at<account_id>(0);
    }
    if (tx.exec("SELECT FROM email_validation WHERE id = $1", {validation}).empty()) {
        return fail(error_kind::invalid, "invalid-token", "the token is not one of ours", "/token");
    }
    return fail(error_kind::conflict, "already-used", "this link was used before");
}

} // namespace relais::web_api::store
