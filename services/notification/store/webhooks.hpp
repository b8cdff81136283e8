#pragma once

#include "notification/domain/feedback.hpp"
#include "notification/domain/kinds.hpp"
#include "postgres/transaction.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::notification {

/// A provider's call to us, raw.
struct webhook {
    std::string digest; ///< hex SHA-256 of provider and body
    std::string provider;
    std::string body;
    std::string traceparent;
};

void keep_webhook(pg::transaction& tx, const webhook& value, timestamp now);

/// The oldest that are not done; locked until the transaction ends, skipping others' locks.
std::vector<webhook> open_webhooks(pg::transaction& tx, int at_most);
void finish_webhook(pg::transaction& tx, const std::string& digest, std::string_view outcome,
                    timestamp now);

/// One event out of a webhook, in our words.
struct provider_event {
    std::string digest; ///< hex SHA-256 of what makes it this event
    std::string provider;
    std::optional<delivery_id> delivery;
    feedback what = feedback::other;
    std::string reason; ///< the provider's word for the error, or empty
    timestamp occurred_at{};
    std::string provider_message_id;
    std::string address_hash; ///< empty when the event is about no address
    std::vector<std::string> dead_subscriptions;
};

/// False for an event that took effect before.
bool keep_provider_event(pg::transaction& tx, const provider_event& value, timestamp now);

/// Judges the event (domain/feedback) and keeps what follows for the address.
void apply_to_address(pg::transaction& tx, const provider_event& value);

/// Deletes what is older than anybody needs, a few thousand rows at a time. The ledger keeps its
/// rows far longer than a topic keeps its events, so that a replay is still recognised.
void sweep(pg::transaction& tx, timestamp now);

} // namespace relais::notification
