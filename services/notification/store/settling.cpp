#include "notification/store/deliveries.hpp"
#include "outbox/outbox.hpp"

#include <relais/notify/v1/delivery_events.pb.h>

namespace relais::notification {
namespace {

/// What DeliverySettled says, from the row itself.
constexpr std::string_view settled_columns =
    " returning account_id, delivery_id, cause_event_id, channel, template, provider,"
    " provider_message_id, reason, traceparent, correlation_id, state";

notify::v1::DeliveryOutcome outcome_of(std::string_view state) {
    if (state == "accepted") {
        return notify::v1::DELIVERY_OUTCOME_ACCEPTED;
    }
    return state == "failed" ? notify::v1::DELIVERY_OUTCOME_FAILED
                             : notify::v1::DELIVERY_OUTCOME_SKIPPED;
}

void publish_settled(pg::transaction& tx, const pg::row& row, std::string_view service,
                     timestamp now) {
    notify::v1::DeliverySettled message;
    message.set_account_id(row.text(0));
    message.set_delivery_id(row.text(1));
    message.set_cause_event_id(row.text(2));
    message.set_channel(row.text(3));
    message.set_template_(row.text(4));
    message.set_provider(row.optional_text(5).value_or(""));
    message.set_provider_message_id(row.optional_text(6).value_or(""));
    message.set_reason(row.optional_text(7).value_or(""));
    message.set_outcome(outcome_of(row.view(10)));
    events::cause why;
    why.trace = trace::context::parse(row.view(8)).value_or(trace::context::start());
    why.correlation_id = row.text(9);
    why.causation_id = row.text(2);
    outbox::append(tx, events::make_event(message, service, why, now));
}

std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

} // namespace

bool record(pg::transaction& tx, const claimed_delivery& row, const delivery_change& change,
            std::string_view service, timestamp now) {
    const bool settled = is_settled(change.state);
    const auto sql =
        std::string("update delivery set state = $3, due_at = coalesce($4::timestamptz, due_at),"
                    " attempts = $5, deferrals = $6, look_ups = $7, resends = $8,"
                    " provider = coalesce($9, provider),"
                    " provider_message_id = coalesce($10, provider_message_id),"
                    " template_version = coalesce($11, template_version), reason = $12,"
                    " settled_at = $13::timestamptz"
                    " where delivery_id = $1 and (fence = $2 or $3 = 'accepted')"
                    " and state in ('sending', 'ambiguous')") +
        std::string(settled_columns);
    const auto changed = tx.exec(
        sql, {row.id, row.fence, to_string(change.state), change.due_at, change.history.attempts,
              change.history.deferrals, change.history.look_ups, change.history.resends,
              unless_empty(change.provider), unless_empty(change.provider_message_id),
              unless_empty(change.template_version), unless_empty(change.reason),
              settled ? std::optional(now) : std::nullopt});
    if (changed.empty()) {
        return false;
    }
    if (settled) {
        publish_settled(tx, changed.front(), service, now);
    }
    return true;
}

void skip_deliveries_of(pg::transaction& tx, account_id who, std::string_view service,
                        timestamp now) {
    // What is being sent ends by itself: its sender records the outcome.
    const auto skipped =
        tx.exec(std::string("update delivery set state = 'skipped', reason = 'erased',"
                            " settled_at = $2 where account_id = $1 and state = 'pending'") +
                    std::string(settled_columns),
                {who, now});
    for (const auto row : skipped) {
        publish_settled(tx, row, service, now);
    }
}

void note_feedback(pg::transaction& tx, delivery_id id, std::string_view feedback,
                   timestamp occurred_at, const std::string& provider_message_id,
                   std::string_view service, timestamp now) {
    tx.exec("update delivery set feedback = $2, feedback_at = $3 where delivery_id = $1"
            " and (feedback_at is null or feedback_at <= $3)",
            {id, feedback, occurred_at});
    const auto settled =
        tx.exec(std::string("update delivery set state = 'accepted', provider_message_id = $2,"
                            " reason = null, settled_at = $3"
                            " where delivery_id = $1 and state = 'ambiguous'") +
                    std::string(settled_columns),
                {id, provider_message_id, now});
    if (!settled.empty()) {
        publish_settled(tx, settled.front(), service, now);
    }
}

} // namespace relais::notification
