#include "mailing-list-sync/domain/sync_decision.hpp"

#include <algorithm>

namespace relais::mailing_list_sync {

urgency sync_decision::how() const {
    if (leaves || plan.what == sync_plan::kind::remove) {
        return urgency::opt_out;
    }
    return joins ? urgency::sign_up : urgency::edit;
}

sync_decision decide(const contact& person, std::span<const consent_event> ledger,
                     const shadow& known) {
    sync_decision out;
    const auto consent = fold(ledger);
    out.known = known;
    out.wanted = desired(person, consent, known);
    out.plan = plan(out.known, out.wanted);
    const std::string list(newsletter);
    out.joins = out.wanted.lists.contains(list) && !known.lists.contains(list);
    out.leaves = known.lists.contains(list) && !out.wanted.lists.contains(list);
    const bool opted_out_there = std::ranges::any_of(
        ledger, [](const auto& entry) { return entry.kind == consent_kind::provider_opt_out; });
    // The fold says "subscribed" only when a newer yes of the person came after that opt-out.
    out.lift_block = out.joins && opted_out_there;
    return out;
}

} // namespace relais::mailing_list_sync
