#pragma once

#include "postgres/transaction.hpp"
#include "web-api/domain/consent.hpp"
#include "web-api/store/publish.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

using consent_id = id<struct consent_tag>;

/// The row of the ledger that holds for a purpose.
struct consent {
    consent_id id;
    std::string purpose;
    bool granted = false;
    timestamp since;
};

std::vector<consent> consents_of(pg::transaction& tx, account_id account);
std::optional<consent> consent_of(pg::transaction& tx, account_id account,
                                  const std::string& purpose);

/// A line for the ledger.
struct consent_entry {
    account_id account;
    std::string purpose;
    bool granted = false;
    std::string source;
    std::string evidence; ///< empty: the request itself
    timestamp occurred_at;
};

consent append_consent(pg::transaction& tx, const consent_entry& entry, timestamp now);

/// Publishes ConsentChanged for the row.
void publish_consent(pg::transaction& tx, const consent_entry& entry, const consent& row,
                     std::uint64_t contact_version, const origin& from);

/// The lists a person is on at the list provider, as far as it told.
struct list_membership {
    std::string list;
    bool member = false;
    timestamp since;
};

std::vector<list_membership> memberships_of(pg::transaction& tx, account_id account);
void set_membership(pg::transaction& tx, account_id account, const list_membership& membership);

} // namespace relais::web_api::store
