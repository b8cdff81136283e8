#include "web-api/store/accounts.hpp"

namespace relais::web_api::store {

bool insert_account(pg::transaction& tx, const new_account& account, timestamp now) {
    const auto inserted = tx.exec(
        "INSERT INTO account_core (id, email_canonical, email, password_hash, locale, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email_canonical) DO NOTHING",
        {account.id, account.email.canonical(), account.email.deliverable(), account.password_hash,
         to_string(account.locale), now});
    if (inserted.affected() == 0) {
        return false;
    }
    tx.exec("WITH version AS (INSERT INTO contact_version (account_id, version) VALUES ($1, 0)) "
            "INSERT INTO profile (account_id, display_name, created_at, updated_at) "
            "VALUES ($1, $2, $3, $3)",
            {account.id, account.display_name, now});
    return true;
}

std::optional<account_core> find_account(pg::transaction& tx, const email_address& email) {
    const auto found = tx.exec("SELECT id, password_hash, email_validated_at IS NOT NULL "
                               "FROM account_core WHERE email_canonical = $1",
                               {email.canonical()});
    if (found.empty()) {
        return std::nullopt;
    }
    const auto row = found.front();
    return account_core{row.id_at<account_id>(0), row.text(1), row.boolean(2)};
}

void set_password_hash(pg::transaction& tx, account_id account, const std::string& password_hash) {
    tx.exec("UPDATE account_core SET password_hash = $2 WHERE id = $1", {account, password_hash});
}

bool mark_email_validated(pg::transaction& tx, account_id account, timestamp now) {
    const auto marked = tx.exec("UPDATE account_core SET email_validated_at = $2 "
                                "WHERE id = $1 AND email_validated_at IS NULL",
                                {account, now});
    return marked.affected() == 1;
}

std::optional<account_view> view_account(pg::transaction& tx, account_id account) {
    const auto found =
        tx.exec("SELECT a.email, a.email_validated_at IS NOT NULL, p.display_name, a.locale, "
                "a.created_at FROM account_core a JOIN profile p ON p.account_id = a.id "
                "WHERE a.id = $1",
                {account});
    if (found.empty()) {
        return std::nullopt;
    }
    const auto row = found.front();
    return account_view{account,     row.text(0), row.boolean(1),
                        row.text(2), row.text(3), row.time(4)};
}

} // namespace relais::web_api::store
