#pragma once

#include "postgres/transaction.hpp"
#include "web-api/store/publish.hpp"

#include <cstdint>
#include <optional>

namespace relais::web_api::store {

/// Locks what the contact snapshot of an account is made of, until the transaction ends. Taken
/// before anything of it is read to decide about a change. False when there is no such account.
bool lock_contact(pg::transaction& tx, account_id account);

/// Publishes the account's contact snapshot as it now is in this transaction, under the next
/// version, which it returns: events that follow from the change name it as what they need. Locks
/// like lock_contact().
std::uint64_t publish_contact(pg::transaction& tx, account_id account, const origin& from);

/// The version last published; nullopt when there is no such account.
std::optional<std::uint64_t> contact_version(pg::transaction& tx, account_id account);

} // namespace relais::web_api::store
