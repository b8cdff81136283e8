#include "notification/consumers/tell.hpp"

#include "notification/domain/language.hpp"
#include "notification/store/contacts.hpp"
#include "notification/store/deliveries.hpp"

#include <cassert>

namespace relais::notification {

result<void> tell(pg::transaction& tx, std::string_view kind_name, const std::string& who,
                  const facts& known, const inbox::context& about, const consumer_tools& tools,
                  std::optional<timestamp> until) {
    const auto* const what = find_kind(kind_name);
    assert(what != nullptr);
    const auto account = account_id::parse(who);
    if (!account) {
        return fail(account);
    }
    new_delivery wanted;
    wanted.kind = what;
    wanted.account = *account;
    wanted.language = language_for(locale_of(tx, *account));
    wanted.known = known;
    wanted.not_after = until.value_or(about.event.time + what->useful_for);
    if (what->has_mail) {
        wanted.channel = channel::mail;
        add_delivery(tx, wanted, about.event, about.now);
    }
    if (what->has_push) {
        wanted.channel = channel::push;
        add_delivery(tx, wanted, about.event, about.now);
    }
    tx.after_commit(tools.wake_senders);
    return {};
}

} // namespace relais::notification
