#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"

#include <optional>
#include <vector>

namespace relais::web_api {

/// Name of this service in events, metrics and the outbox.
inline constexpr std::string_view service_name = "web-api";

/// What a change comes from: the request or event that caused it, and the time it is made.
struct origin {
    events::cause cause;
    timestamp now;
};

struct publish_options {
    std::vector<events::snapshot_need> needs;
    std::optional<timestamp> expires_at;
};

/// Appends the message to the outbox in the caller's transaction.
void publish(pg::transaction& tx, const google::protobuf::Message& message, const origin& from,
             publish_options options = {});

/// What an event needs before a consumer can tell this person something.
events::snapshot_need needs_contact(account_id account, std::uint64_t version);
events::snapshot_need needs_job(job_id job, std::uint64_t version);

} // namespace relais::web_api
