#pragma once

#include "postgres/transaction.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

/// The one registered longest ago makes room.
inline constexpr int devices_max = 20;

/// Where pushes go: a subscription at the push provider.
struct device {
    device_id id;
    std::string provider;
    std::string subscription_id;
    std::string platform;
    timestamp registered_at;
};

std::vector<device> devices_of(pg::transaction& tx, account_id account);

/// The account that has this subscription now; it keeps it until the transaction ends.
std::optional<account_id> hold_device_owner(pg::transaction& tx, const std::string& provider,
                                            const std::string& subscription_id);

struct registered_device {
    device_id id;
    bool created = false; ///< false: it was there, and was brought up to date
};

/// Adds the device or moves it here from whoever had the subscription before, and drops the oldest
/// ones over devices_max. Lock the contacts concerned first.
registered_device register_device(pg::transaction& tx, account_id account, const device& value);

} // namespace relais::web_api::store
