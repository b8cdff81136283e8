#pragma once

#include "clock/clock.hpp"

#include <span>
#include <string>

namespace relais::mailing_list_sync {

/// One entry of a person's consent ledger for one purpose. The ledger only grows.
enum class consent_kind {
    granted,          ///< a proven action of the person: a form, a double opt-in
    withdrawn,        ///< said no to us
    provider_opt_out, ///< unsubscribed at the list provider
    complaint,        ///< marked a mail as spam
    erased,           ///< the account is gone
};

struct consent_event {
    consent_kind kind = consent_kind::granted;
    timestamp occurred_at{};
};

enum class consent_state { unknown, subscribed, opted_out, erased };

/// The state that a set of ledger entries means. A pure function of the set: order, repetition and
/// late arrival change nothing, so replayed or reordered webhooks cannot either.
///   - The last entry that takes effect wins; on a tie the opt-out does.
///   - What a provider dates takes effect ten minutes later than it says: its clock may be off, and
///     the doubt is the person's who opted out.
///   - After a complaint no ordinary yes counts any more. Erasure absorbs everything.
consent_state fold(std::span<const consent_event> ledger);

std::string_view to_string(consent_kind kind);
consent_kind parse_consent_kind(std::string_view word);

} // namespace relais::mailing_list_sync
