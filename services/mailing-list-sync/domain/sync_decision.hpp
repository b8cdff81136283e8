#pragma once

#include "mailing-list-sync/domain/membership.hpp"
#include "mailing-list-sync/domain/rate_limit.hpp"

#include <vector>

namespace relais::mailing_list_sync {

/// Everything known about one person at one moment, and what follows from it.
struct sync_decision {
    shadow known;
    shadow wanted;
    sync_plan plan;
    bool joins = false;      ///< becomes a member of the list
    bool leaves = false;     ///< stops being one
    bool lift_block = false; ///< see contact_change::lift_block

    /// How urgent it is to carry out.
    urgency how() const;
};

sync_decision decide(const contact& person, std::span<const consent_event> ledger,
                     const shadow& known);

} // namespace relais::mailing_list_sync
