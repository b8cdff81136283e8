#pragma once

#include "events/event.hpp"
#include "notification/domain/kinds.hpp"
#include "postgres/transaction.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace relais::notification {

/// A message that is wanted.
struct new_delivery {
    const notification::kind* kind = nullptr;
    notification::channel channel = channel::mail;
    account_id account;
    std::string language;
    facts known;
    timestamp not_after{};
};

/// Writes the row in the cause's transaction. A repeat of the cause writes nothing.
void add_delivery(pg::transaction& tx, const new_delivery& value, const events::event& cause,
                  timestamp now);

enum class delivery_state { pending, sending, ambiguous, accepted, failed, skipped };

std::string_view to_string(delivery_state value);
bool is_settled(delivery_state value);

/// How often what was tried.
struct delivery_history {
    unsigned attempts = 0;
    unsigned deferrals = 0;
    unsigned look_ups = 0;
    unsigned resends = 0;
};

/// A row that this process may work on until its claim ends, with what is known about the person at
/// this moment.
struct claimed_delivery {
    delivery_id id;
    const notification::kind* kind = nullptr; ///< nullptr: a kind that this version does not know
    std::string template_name;
    notification::channel channel = channel::mail;
    account_id account;
    std::string language;
    facts known;
    std::int64_t fence = 0;
    delivery_history history;
    /// false: to be sent. true: an earlier call may have reached the provider; find out.
    bool ambiguous = false;
    timestamp not_after{};
    timestamp caused_at{};
    std::string cause_event_id;
    std::string traceparent;
    std::string correlation_id;

    bool known_person = false; ///< false: erased
    std::string email;
    bool email_validated = false;
    std::string display_name;
    std::string suppressed;                 ///< "", "activity", "all": as it holds now
    std::vector<std::string> subscriptions; ///< of live devices
    std::optional<std::string> job_title;
};

/// No row is put off for longer than half of this. One that seems to be was written before the wall
/// clock was set back, and is due.
inline constexpr std::chrono::minutes believed_wait{30};

/// Takes due rows: their state becomes the intent (sending; ambiguous when they were sent before),
/// the attempt is counted, nobody else takes them before `lease` is over. `crashed` rows (still
/// sending at the end of their lease) come back as ambiguous. Rows `in_hand` are left alone: a wall
/// clock that is set forward ends leases before their time.
std::vector<claimed_delivery> claim_due(pg::transaction& tx, channel which, std::size_t at_most,
                                        timestamp now, std::chrono::milliseconds lease,
                                        const std::set<delivery_id>& in_hand = {});

/// When the next row of the channel is due, apart from those in hand.
std::optional<timestamp> next_due(pg::transaction& tx, channel which,
                                  const std::set<delivery_id>& in_hand = {});

/// What became of a claimed row.
struct delivery_change {
    delivery_state state = delivery_state::pending;
    std::optional<timestamp> due_at; ///< for the states that are not settled
    delivery_history history;
    std::string provider;
    std::string provider_message_id;
    std::string template_version;
    std::string reason;
};

/// Writes it unless the claim was lost. That a provider accepted the message is true whoever says
/// it, so this is written even then. Settled rows publish DeliverySettled. False: nothing changed.
bool record(pg::transaction& tx, const claimed_delivery& row, const delivery_change& change,
            std::string_view service, timestamp now);

/// Ends all open deliveries of a person who is erased.
void skip_deliveries_of(pg::transaction& tx, account_id who, std::string_view service,
                        timestamp now);

/// A provider's event proves that it has the message, whatever became of our call. Publishes
/// DeliverySettled when the row was still ambiguous.
void note_feedback(pg::transaction& tx, delivery_id id, std::string_view feedback,
                   timestamp occurred_at, const std::string& provider_message_id,
                   std::string_view service, timestamp now);

/// Open rows by channel and state, for the gauges.
struct queue_size {
    std::string channel;
    std::string state;
    std::int64_t count = 0;
    timestamp oldest{};
};

std::vector<queue_size> queue_sizes(pg::transaction& tx);

} // namespace relais::notification
