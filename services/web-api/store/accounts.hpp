#pragma once

#include "postgres/transaction.hpp"
#include "web-api/domain/email_address.hpp"
#include "web-api/domain/locale.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

struct new_account {
    account_id id;
    email_address email;
    std::string display_name;
    std::string password_hash; ///< PHC string
    web_api::locale locale = locale::en;
};

/// Inserts account, profile and contact version 0. False when the address is known (whoever comes
/// second of two at once waits for the first).
bool insert_account(pg::transaction& tx, const new_account& account, timestamp now);

/// What logging in and registering again need to know, without the profile.
struct account_core {
    account_id id;
    std::string password_hash;
    bool email_validated = false;
};

std::optional<account_core> find_account(pg::transaction& tx, const email_address& email);

void set_password_hash(pg::transaction& tx, account_id account, const std::string& password_hash);

/// False when it was marked before.
bool mark_email_validated(pg::transaction& tx, account_id account, timestamp now);

/// An account as its owner sees it, without lists.
struct account_view {
    account_id id;
    std::string email;
    bool email_validated = false;
    std::string display_name;
    std::string locale;
    timestamp created_at;
};

std::optional<account_view> view_account(pg::transaction& tx, account_id account);

} // namespace relais::web_api::store
