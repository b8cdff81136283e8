#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"

#include <optional>
#include <relais/marketing/v1/campaign_events.pb.h>
#include <relais/marketing/v1/campaign_requests.pb.h>
#include <string>
#include <vector>

namespace relais::mailing_list_sync {

/// requested → creating → created → sending → sent | failed
struct campaign_part {
    std::string campaign_id;
    std::string locale;
    std::string state;
    std::int64_t remote_id = 0; ///< 0: not known yet
    int attempts = 0;
    std::string name;
    std::string list;
    std::string campaign_template;
    events::cause why;
};

/// Keeps a request with one part per language. False when it was there already.
bool add_campaign(pg::transaction& tx, const marketing::v1::CampaignRequested& request,
                  const std::vector<std::string>& locales, std::int64_t audience,
                  const events::cause& why, timestamp now);

/// Parts that are due, leased by moving the time they are due again.
std::vector<campaign_part> lease_parts(pg::transaction& tx, int at_most, timestamp now,
                                       std::chrono::seconds lease);

/// nullopt for not_before: nothing to do until a webhook hints at it.
void set_part(pg::transaction& tx, const campaign_part& part, std::string_view state,
              std::int64_t remote_id, std::optional<timestamp> not_before);
/// What the provider's own statistics say; they never go down.
void set_part_counts(pg::transaction& tx, const campaign_part& part, std::int64_t sent,
                     std::int64_t delivered, std::int64_t unsubscribed, timestamp now);
void retry_part(pg::transaction& tx, const campaign_part& part, const std::string& reason,
                timestamp not_before);
void fail_campaign(pg::transaction& tx, const std::string& campaign_id, const std::string& reason);

/// A webhook spoke of this campaign: look at its statistics again, at most once a minute (the
/// provider allows a hundred such calls an hour).
void hint_for_remote(pg::transaction& tx, std::int64_t remote_id, timestamp now);

/// Publishes CampaignProgressed when state or counts differ from what was last published.
void report_progress(pg::transaction& tx, const std::string& campaign_id, std::string_view service,
                     timestamp now);

std::optional<timestamp> next_part_at(pg::transaction& tx);

} // namespace relais::mailing_list_sync
