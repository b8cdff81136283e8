#include "web-api/store/credentials.hpp"

namespace relais::web_api::store {
namespace {

using pg::parameter;

std::optional<session> read_session(const pg::rows& rows, timestamp now) {
    if (rows.empty()) {
        return std::nullopt;
    }
    const auto row = rows.front();
    session found{row.id_at<session_id>(0),
                  row.id_at<account_id>(1),
                  row.time(2),
                  {row.time(3), row.time(4)}};
    if (found.life.expires_at() <= now) {
        return std::nullopt;
    }
    return found;
}

} // namespace

void insert_session(pg::transaction& tx, const session& value,
                    const std::vector<std::uint8_t>& token_hash) {
    tx.exec("INSERT INTO session (id, account_id, token_hash, created_at, last_seen_at, "
            "absolute_expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
            {value.id, value.account, parameter::bytes(token_hash), value.created_at,
             value.life.last_seen_at, value.life.absolute_expires_at});
}

std::optional<session> find_session(pg::transaction& tx, session_id id, timestamp now) {
    const auto rows =
        tx.exec("SELECT id, account_id, created_at, last_seen_at, absolute_expires_at "
                "FROM session WHERE id = $1 AND revoked_at IS NULL",
                {id});
    return read_session(rows, now);
}

std::optional<session> find_session(pg::transaction& tx,
                                    const std::vector<std::uint8_t>& token_hash, timestamp now) {
    const auto rows =
        tx.exec("SELECT id, account_id, created_at, last_seen_at, absolute_expires_at "
                "FROM session WHERE token_hash = $1 AND revoked_at IS NULL",
                {parameter::bytes(token_hash)});
    return read_session(rows, now);
}

void touch_session(pg::transaction& tx, session_id id, timestamp now) {
    tx.exec("UPDATE session SET last_seen_at = greatest(last_seen_at, $2) WHERE id = $1",
            {id, now});
}

bool revoke_session(pg::transaction& tx, session_id id, timestamp now) {
    const auto revoked = tx.exec(
        "UPDATE session SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", {id, now});
    return revoked.affected() == 1;
}

std::optional<api_key> find_api_key(pg::transaction& tx,
                                    const std::vector<std::uint8_t>& token_hash, timestamp now) {
    const auto rows = tx.exec("SELECT k.id, k.created_at, k.expires_at, r.role FROM api_key k "
                              "LEFT JOIN unnest(k.roles) AS r (role) ON true "
                              "WHERE k.token_hash = $1 AND k.revoked_at IS NULL",
                              {parameter::bytes(token_hash)});
    if (rows.empty()) {
        return std::nullopt;
    }
    const auto first = rows.front();
    api_key found{first.id_at<api_key_id>(0), {}, first.time(1), first.optional_time(2)};
    if (found.expires_at && *found.expires_at <= now) {
        return std::nullopt;
    }
    for (const auto row : rows) {
        if (!row.is_null(3)) {
            found.roles.push_back(row.text(3));
        }
    }
    return found;
}

login_attempts lock_login_attempts(pg::transaction& tx,
                                   const std::vector<std::uint8_t>& address_hash, timestamp now) {
    tx.exec("INSERT INTO login_attempt (address_hash, attempts, last_at) VALUES ($1, 0, $2) "
            "ON CONFLICT (address_hash) DO NOTHING",
            {parameter::bytes(address_hash), now});
    const auto rows =
        tx.exec("SELECT attempts, last_at FROM login_attempt WHERE address_hash = $1 FOR UPDATE",
                {parameter::bytes(address_hash)});
    if (rows.empty()) {
        return {0, now}; // a log-in that succeeded just now took it away
    }
    return {static_cast<std::uint32_t>(rows.front().integer(0)), rows.front().time(1)};
}

void set_login_attempts(pg::transaction& tx, const std::vector<std::uint8_t>& address_hash,
                        const login_attempts& value) {
    tx.exec("UPDATE login_attempt SET attempts = $2, last_at = $3 WHERE address_hash = $1",
            {parameter::bytes(address_hash), value.count, value.last_at});
}

void clear_login_attempts(pg::transaction& tx, const std::vector<std::uint8_t>& address_hash) {
    tx.exec("DELETE FROM login_attempt WHERE address_hash = $1", {parameter::bytes(address_hash)});
}

} // namespace relais::web_api::store
