#include "mailing-list-sync/consumers/consumers.hpp"

#include "mailing-list-sync/store/campaigns.hpp"
#include "mailing-list-sync/store/contacts.hpp"
#include "mailing-list-sync/store/sync_state.hpp"

#include <relais/identity/v1/contact_snapshots.pb.h>
#include <relais/marketing/v1/campaign_requests.pb.h>

namespace relais::mailing_list_sync {
namespace {

timestamp to_time(const google::protobuf::Timestamp& time) {
    return timestamp(std::chrono::seconds(time.seconds()) +
                     std::chrono::microseconds(time.nanos() / 1000));
}

result<void> keep_snapshot(pg::transaction& tx, const identity::v1::ContactSnapshot& snapshot,
                           const inbox::context& about, const consumer_tools& tools) {
    save_contact(tx,
                 {snapshot.account_id(), snapshot.email(), snapshot.email_validated(),
                  snapshot.display_name(), snapshot.locale(), false},
                 snapshot.version());
    for (const auto& consent : snapshot.consents()) {
        const auto kind = consent.granted() ? consent_kind::granted : consent_kind::withdrawn;
        append_consent(tx, {snapshot.account_id(),
                            consent.purpose(),
                            "consent:" + consent.consent_id(),
                            {kind, to_time(consent.since())},
                            "web-api consent " + consent.consent_id()});
    }
    if (request_sync_if_needed(tx, snapshot.account_id(), about.now, about.cause())) {
        tx.after_commit(tools.wake_contact_sync);
    }
    return {};
}

result<void> erase(pg::transaction& tx, const std::string& account_id, const inbox::context& about,
                   const consumer_tools& tools) {
    erase_contact(tx, account_id, about.now);
    append_consent(tx, {account_id,
                        "*",
                        "erasure",
                        {consent_kind::erased, about.now},
                        "tombstone on identity.contact.snapshots.v1"});
    if (request_sync_if_needed(tx, account_id, about.now, about.cause())) {
        tx.after_commit(tools.wake_contact_sync);
    }
    return {};
}

/// Why the request cannot be carried out; empty: it can.
std::string refusal(const marketing::v1::CampaignRequested& request, const consumer_tools& tools) {
    if (request.list() != newsletter) {
        return "unknown-list";
    }
    const bool known_locale =
        request.locale().empty() || base_locale(request.locale()) == request.locale();
    if (!known_locale) {
        return "unknown-locale";
    }
    return tools.knows_template(request.template_()) ? "" : "unknown-template";
}

result<void> accept_campaign(pg::transaction& tx, const marketing::v1::CampaignRequested& request,
                             const inbox::context& about, const consumer_tools& tools) {
    const bool for_all = request.locale().empty();
    const auto audience_list = for_all ? request.list() : request.list() + " " + request.locale();
    const auto locales = for_all ? campaign_locales() : std::vector<std::string>{request.locale()};
    const bool added = add_campaign(tx, request, locales, count_members(tx, audience_list),
                                    about.cause(), about.now);
    if (!added) {
        return {};
    }
    if (const auto reason = refusal(request, tools); !reason.empty()) {
        fail_campaign(tx, request.campaign_id(), reason);
    } else {
        tx.after_commit(tools.wake_campaign_sync);
    }
    report_progress(tx, request.campaign_id(), tools.service, about.now);
    return {};
}

} // namespace

void register_consumers(inbox::consumer& inbox, const consumer_tools& tools) {
    const inbox::policy patient{};
    inbox.on_snapshot<identity::v1::ContactSnapshot>(
        "contact", patient,
        [tools](pg::transaction& tx, const identity::v1::ContactSnapshot& message,
                const inbox::context& about) { return keep_snapshot(tx, message, about, tools); },
        [tools](pg::transaction& tx, const std::string& account_id, const inbox::context& about) {
            return erase(tx, account_id, about, tools);
        });
    inbox.on<marketing::v1::CampaignRequested>(
        patient, [tools](pg::transaction& tx, const marketing::v1::CampaignRequested& message,
                         const inbox::context& about) {
            return accept_campaign(tx, message, about, tools);
        });
}

} // namespace relais::mailing_list_sync
