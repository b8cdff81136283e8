#include "web-api/store/consents.hpp"

#include "relais/identity/v1/account_events.pb.h"
#include "web-api/store/protobuf_time.hpp"

namespace relais::web_api::store {
namespace {

consent read_consent(const pg::row& row) {
    return {row.id_at<consent_id>(0), row.text(1), row.boolean(2), row.time(3)};
}

} // namespace

std::vector<consent> consents_of(pg::transaction& tx, account_id account) {
    std::vector<consent> all;
    const auto rows = tx.exec("SELECT DISTINCT ON (purpose) id, purpose, granted, occurred_at "
                              "FROM consent WHERE account_id = $1 ORDER BY purpose, seq DESC",
                              {account});
    for (const auto row : rows) {
        all.push_back(read_consent(row));
    }
    return all;
}

std::optional<consent> consent_of(pg::transaction& tx, account_id account,
                                  const std::string& purpose) {
    const auto rows = tx.exec("SELECT id, purpose, granted, occurred_at FROM consent "
                              "WHERE account_id = $1 AND purpose = $2 ORDER BY seq DESC LIMIT 1",
                              {account, purpose});
    if (rows.empty()) {
        return std::nullopt;
    }
    return read_consent(rows.front());
}

consent append_consent(pg::transaction& tx, const consent_entry& entry, timestamp now) {
    const consent row{consent_id::make(), entry.purpose, entry.granted, entry.occurred_at};
    tx.exec("INSERT INTO consent (id, account_id, purpose, granted, source, evidence, "
            "occurred_at, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            {row.id, entry.account, entry.purpose, entry.granted, entry.source, entry.evidence,
             entry.occurred_at, now});
    return row;
}

void publish_consent(pg::transaction& tx, const consent_entry& entry, const consent& row,
                     std::uint64_t contact_version, const origin& from) {
    identity::v1::ConsentChanged changed;
    changed.set_account_id(entry.account.text());
    changed.set_consent_id(row.id.text());
    changed.set_purpose(entry.purpose);
    changed.set_granted(entry.granted);
    *changed.mutable_occurred_at() = to_protobuf(entry.occurred_at);
    changed.set_source(entry.source);
    publish(tx, changed, from, {.needs = {needs_contact(entry.account, contact_version)}});
}

std::vector<list_membership> memberships_of(pg::transaction& tx, account_id account) {
    std::vector<list_membership> all;
    const auto rows = tx.exec("SELECT list, member, since FROM list_membership "
                              "WHERE account_id = $1 ORDER BY list",
                              {account});
    for (const auto row : rows) {
        all.push_back({row.text(0), row.boolean(1), row.time(2)});
    }
    return all;
}

void set_membership(pg::transaction& tx, account_id account, const list_membership& membership) {
    // An account that is gone has no memberships: the provider's news about it is dropped.
    tx.exec("INSERT INTO list_membership (account_id, list, member, since) "
            "SELECT id, $2, $3, $4 FROM account_core WHERE id = $1 "
            "ON CONFLICT (account_id, list) DO UPDATE "
            "SET member = excluded.member, since = excluded.since",
            {account, membership.list, membership.member, membership.since});
}

} // namespace relais::web_api::store
