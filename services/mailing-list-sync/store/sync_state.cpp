#include "mailing-list-sync/store/sync_state.hpp"

#include "mailing-list-sync/store/contacts.hpp"
#include "mailing-list-sync/store/tasks.hpp"

namespace relais::mailing_list_sync {
namespace {

// Edits of a profile come in bursts; one call for all of them is enough.
constexpr std::chrono::seconds edit_delay{2};

} // namespace

std::optional<sync_decision> decide_for(pg::transaction& tx, const std::string& account_id) {
    const auto person = find_contact(tx, account_id);
    if (!person) {
        return std::nullopt;
    }
    const auto ledger = ledger_of(tx, account_id, newsletter);
    return decide(*person, ledger, find_shadow(tx, account_id));
}

bool request_sync_if_needed(pg::transaction& tx, const std::string& account_id, timestamp now,
                            const events::cause& why) {
    const auto decision = decide_for(tx, account_id);
    if (!decision || decision->plan.what == sync_plan::kind::nothing) {
        return false;
    }
    const auto how = decision->how();
    const auto not_before = how == urgency::edit ? now + edit_delay : now;
    request_sync(tx, account_id, how, not_before, why);
    return true;
}

} // namespace relais::mailing_list_sync
