#pragma once

#include "postgres/transaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::web_api::store {

/// Totals so far, as the list provider reports them.
struct campaign_counts {
    std::uint64_t audience = 0;
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    std::uint64_t unsubscribed = 0;
};

struct campaign_step {
    std::string state;
    std::string reason;
    timestamp at;
};

struct campaign {
    campaign_id id;
    std::string name;
    std::string list;
    std::optional<std::string> locale;
    std::string template_name;
    api_key_id requested_by;
    std::string state; ///< requested, accepted, sending, sent or failed
    std::string reason;
    campaign_counts counts;
    timestamp requested_at;
    timestamp updated_at;
};

/// Also writes the first step of its history.
void insert_campaign(pg::transaction& tx, const campaign& value);

std::optional<campaign> find_campaign(pg::transaction& tx, campaign_id id);
std::vector<campaign_step> campaign_history(pg::transaction& tx, campaign_id id);

struct campaign_progress {
    std::string state;
    std::string reason;
    campaign_counts counts;
};

/// False when there is no such campaign. A new state becomes a step of the history.
bool record_progress(pg::transaction& tx, campaign_id id, const campaign_progress& progress,
                     timestamp at);

} // namespace relais::web_api::store
