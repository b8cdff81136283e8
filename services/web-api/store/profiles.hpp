#pragma once

#include "postgres/transaction.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

/// One file of an avatar; its key never changes its content.
struct avatar_variant {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::string content_type;
    std::string key;
};

struct avatar {
    asset_id asset;
    std::vector<avatar_variant> variants;
};

/// What everybody may see of a person.
struct profile {
    account_id account;
    std::string display_name;
    std::optional<store::avatar> avatar;
    timestamp created_at;
};

std::optional<profile> find_profile(pg::transaction& tx, account_id account);

/// False when there is no such account.
bool set_avatar(pg::transaction& tx, account_id account, const avatar& value, timestamp now);

} // namespace relais::web_api::store
