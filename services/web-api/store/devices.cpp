#include "web-api/store/devices.hpp"

namespace relais::web_api::store {

std::vector<device> devices_of(pg::transaction& tx, account_id account) {
    std::vector<device> all;
    const auto rows = tx.exec("SELECT id, provider, subscription_id, platform, registered_at "
                              "FROM device WHERE account_id = $1 ORDER BY registered_at, id",
                              {account});
    for (const auto row : rows) {
        all.push_back(
            {row.id_at<device_id>(0), row.text(1), row.text(2), row.text(3), row.time(4)});
    }
    return all;
}

std::optional<account_id> hold_device_owner(pg::transaction& tx, const std::string& provider,
                                            const std::string& subscription_id) {
    const auto rows = tx.exec("SELECT account_id FROM device "
                              "WHERE provider = $1 AND subscription_id = $2 FOR UPDATE",
                              {provider, subscription_id});
    if (rows.empty()) {
        return std::nullopt;
    }
    return rows.front().id_at<account_id>(0);
}

registered_device register_device(pg::transaction& tx, account_id account, const device& value) {
    // xmax is 0 on a row that this statement inserted.
    const auto rows = tx.exec(
        "INSERT INTO device (id, account_id, provider, subscription_id, platform, registered_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (provider, subscription_id) DO UPDATE SET account_id = excluded.account_id, "
        "platform = excluded.platform, registered_at = excluded.registered_at "
        "RETURNING id, xmax = 0",
        {value.id, account, value.provider, value.subscription_id, value.platform,
         value.registered_at});
    tx.exec("DELETE FROM device WHERE id IN (SELECT id FROM device WHERE account_id = $1 "
            "ORDER BY registered_at DESC, id DESC OFFSET $2)",
            {account, devices_max});
    return {rows.front().id_at<device_id>(0), rows.front().boolean(1)};
}

} // namespace relais::web_api::store
