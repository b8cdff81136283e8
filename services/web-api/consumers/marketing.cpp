#include "web-api/consumers/handle.hpp"
#include "web-api/store/campaigns.hpp"
#include "web-api/store/consent_ledger.hpp"
#include "web-api/store/protobuf_time.hpp"

namespace relais::web_api {
namespace {

std::string_view state_name(marketing::v1::CampaignState state) {
    switch (state) {
    case marketing::v1::CAMPAIGN_STATE_ACCEPTED:
        return "accepted";
    case marketing::v1::CAMPAIGN_STATE_SENDING:
        return "sending";
    case marketing::v1::CAMPAIGN_STATE_SENT:
        return "sent";
    case marketing::v1::CAMPAIGN_STATE_FAILED:
        return "failed";
    default:
        return {};
    }
}

} // namespace

result<void> record_campaign_progress(pg::transaction& tx,
                                      const marketing::v1::CampaignProgressed& progressed,
                                      const inbox::context& about, const log::logger& logger) {
    const auto campaign = campaign_id::parse(progressed.campaign_id());
    if (!campaign) {
        return fail(campaign);
    }
    const auto state = state_name(progressed.state());
    if (state.empty()) {
        return fail(error_kind::invalid, "unknown-campaign-state", "CampaignProgressed");
    }
    const store::campaign_progress progress{std::string(state),
                                            progressed.reason(),
                                            {progressed.audience(), progressed.sent(),
                                             progressed.delivered(), progressed.unsubscribed()}};
    if (!store::record_progress(tx, *campaign, progress, about.event.time)) {
        logger.info("campaign.unknown", {{"campaign_id", campaign->text()}});
    }
    return {};
}

result<void> record_opt_out(pg::transaction& tx, const marketing::v1::MarketingOptedOut& opted_out,
                            const inbox::context& about, const log::logger& logger) {
    const auto account = account_id::parse(opted_out.account_id());
    if (!account) {
        return fail(account);
    }
    const origin from{about.cause(), about.now};
    for (const auto& purpose : purposes_of_opt_out(opted_out.purpose())) {
        const store::consent_entry entry{
            .account = *account,
            .purpose = purpose,
            .granted = false,
            .source = source_text(consent_source::provider, opted_out.provider()),
            .evidence = opted_out.evidence(),
            .occurred_at = from_protobuf(opted_out.occurred_at())};
        const auto done = store::record_consent(tx, entry, consent_source::provider, from);
        if (!done && done.error().kind == error_kind::not_found) {
            logger.info("opt_out.account_unknown", {{"account_id", account->text()}});
        } else if (!done) {
            return fail(done);
        }
    }
    return {};
}

result<void> record_membership(pg::transaction& tx,
                               const marketing::v1::ListMembershipChanged& changed,
                               const inbox::context& about, const log::logger& /*logger*/) {
    const auto account = account_id::parse(changed.account_id());
    if (!account) {
        return fail(account);
    }
    store::set_membership(tx, *account, {changed.list(), changed.member(), about.event.time});
    return {};
}

} // namespace relais::web_api
