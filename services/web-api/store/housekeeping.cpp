#include "web-api/store/housekeeping.hpp"

namespace relais::web_api::store {

std::size_t delete_outdated(pg::transaction& tx, timestamp now, std::size_t rows_max) {
    const auto month_ago = now - std::chrono::days(30);
    const auto sessions =
        tx.exec("DELETE FROM session WHERE id IN "
                "(SELECT id FROM session WHERE absolute_expires_at < $1 LIMIT $2)",
                {month_ago, rows_max});
    const auto validations =
        tx.exec("DELETE FROM email_validation WHERE id IN "
                "(SELECT id FROM email_validation WHERE expires_at < $1 LIMIT $2)",
                {month_ago, rows_max});
    const auto attempts =
        tx.exec("DELETE FROM login_attempt WHERE address_hash IN "
                "(SELECT address_hash FROM login_attempt WHERE last_at < $1 LIMIT $2)",
                {now - std::chrono::days(1), rows_max});
    return sessions.affected() + validations.affected() + attempts.affected();
}

} // namespace relais::web_api::store
