#pragma once

#include "ids/id.hpp"
#include "inbox/consumer.hpp"
#include "log/logger.hpp"

#include <functional>

namespace relais::web_api {

/// Registers what web-api does with the events of other services:
///   AssetReady             the avatar's files become part of the profile, AvatarChanged
///   CampaignProgressed     how far a campaign is
///   MarketingOptedOut      a no in the consent ledger: an opt-out always wins
///   ListMembershipChanged  which lists a person is on
/// What concerns an account or a campaign that is gone is dropped.
/// forget_profile(account) is called on a database thread after a profile changed.
void register_consumers(inbox::consumer& inbox, const log::logger& logger,
                        const std::function<void(account_id)>& forget_profile);

} // namespace relais::web_api
