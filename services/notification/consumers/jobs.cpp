#include "notification/consumers/jobs.hpp"

#include "notification/consumers/tell.hpp"

#include <relais/market/v1/job_events.pb.h>

namespace relais::notification {
namespace {

result<facts> facts_of(const std::string& job, const std::string& offer,
                       const market::v1::Money& price) {
    const auto job_key = job_id::parse(job);
    if (!job_key) {
        return fail(job_key);
    }
    const auto offer_key = offer_id::parse(offer);
    if (!offer_key) {
        return fail(offer_key);
    }
    facts out;
    out.job = *job_key;
    out.offer = *offer_key;
    out.price = money{price.amount_minor(), price.currency()};
    return out;
}

} // namespace

void register_job_events(inbox::consumer& inbox, const consumer_tools& tools) {
    const inbox::policy patient{};
    inbox.on<market::v1::OfferMade>(
        patient,
        [tools](pg::transaction& tx, const market::v1::OfferMade& event,
                const inbox::context& about) -> result<void> {
            const auto known = facts_of(event.job_id(), event.offer_id(), event.price());
            if (!known) {
                return fail(known);
            }
            return tell(tx, "offer_made", event.requester_id(), *known, about, tools);
        });
    inbox.on<market::v1::OfferAccepted>(
        patient,
        [tools](pg::transaction& tx, const market::v1::OfferAccepted& event,
                const inbox::context& about) -> result<void> {
            const auto known = facts_of(event.job_id(), event.offer_id(), event.price());
            if (!known) {
                return fail(known);
            }
            return tell(tx, "offer_accepted", event.provider_id(), *known, about, tools);
        });
}

} // namespace relais::notification
