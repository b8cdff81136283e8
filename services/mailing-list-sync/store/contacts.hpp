#pragma once

#include "mailing-list-sync/domain/membership.hpp"
#include "postgres/transaction.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::mailing_list_sync {

void save_contact(pg::transaction& tx, const contact& person, std::uint64_t version);

/// Forgets address and name, keeps the id: what arrives late for it must find that it is erased.
void erase_contact(pg::transaction& tx, const std::string& account_id, timestamp now);

std::optional<contact> find_contact(pg::transaction& tx, const std::string& account_id);
std::optional<std::string> account_of_email(pg::transaction& tx, const std::string& email);

/// One entry of the ledger; the digest names it, so the same entry twice is one.
struct ledger_entry {
    std::string account_id;
    std::string purpose;
    std::string digest;
    consent_event event;
    std::string evidence;
};

/// False when it was there already.
bool append_consent(pg::transaction& tx, const ledger_entry& entry);
std::vector<consent_event> ledger_of(pg::transaction& tx, const std::string& account_id,
                                     std::string_view purpose);

shadow find_shadow(pg::transaction& tx, const std::string& account_id);
void save_shadow(pg::transaction& tx, const std::string& account_id, const shadow& state,
                 timestamp now);

/// Members as the provider confirmed them, for a campaign's audience.
std::int64_t count_members(pg::transaction& tx, const std::string& provider_list);

} // namespace relais::mailing_list_sync
