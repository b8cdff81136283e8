#pragma once

#include "inbox/consumer.hpp"
#include "log/logger.hpp"
#include "relais/marketing/v1/campaign_events.pb.h"
#include "relais/marketing/v1/contact_events.pb.h"
#include "relais/media/v1/asset_events.pb.h"

#include <functional>

namespace relais::web_api {

// One function per event type; see consumers.hpp. Ids that are none are `invalid` / "invalid-id"
// and go to the dead letters: another service has a bug.

/// forget_profile is called after the commit, on a database thread.
result<void> show_avatar(pg::transaction& tx, const media::v1::AssetReady& ready,
                         const inbox::context& about, const log::logger& logger,
                         const std::function<void(account_id)>& forget_profile);
result<void> record_campaign_progress(pg::transaction& tx,
                                      const marketing::v1::CampaignProgressed& progressed,
                                      const inbox::context& about, const log::logger& logger);
result<void> record_opt_out(pg::transaction& tx, const marketing::v1::MarketingOptedOut& opted_out,
                            const inbox::context& about, const log::logger& logger);
result<void> record_membership(pg::transaction& tx,
                               const marketing::v1::ListMembershipChanged& changed,
                               const inbox::context& about, const log::logger& logger);

} // namespace relais::web_api
