#include "web-api/store/consent_ledger.hpp"

#include "web-api/store/contacts.hpp"

namespace relais::web_api::store {

result<consent> record_consent(pg::transaction& tx, const consent_entry& entry,
                               consent_source source, const origin& from) {
    if (!lock_contact(tx, entry.account)) {
        return fail(error_kind::not_found, "account-not-found", "there is no such account");
    }
    const auto holds = consent_of(tx, entry.account, entry.purpose);
    const auto granted = holds ? std::optional(holds->granted) : std::nullopt;
    const auto is_new = is_new_consent({entry.purpose, entry.granted, source}, granted);
    if (!is_new) {
        return fail(is_new);
    }
    if (!*is_new) {
        return *holds;
    }
    auto row = append_consent(tx, entry, from.now);
    const auto version = publish_contact(tx, entry.account, from);
    publish_consent(tx, entry, row, version, from);
    return row;
}

} // namespace relais::web_api::store
