#include "gateway/events/news.hpp"

#include <relais/edge/v1/cache_events.pb.h>
#include <relais/identity/v1/account_events.pb.h>

namespace relais::gateway {
namespace {

template <class Message>
std::optional<Message> message_in(const kafka::record& record) {
    const auto event = kafka::to_event(record);
    if (!event || event->type != Message::descriptor()->full_name()) {
        return std::nullopt;
    }
    auto message = events::decode<Message>(*event);
    return message ? std::optional(*std::move(message)) : std::nullopt;
}

} // namespace

std::optional<std::string> revoked_credential(const kafka::record& record) {
    const auto revoked = message_in<identity::v1::CredentialRevoked>(record);
    return revoked ? std::optional(revoked->credential_id()) : std::nullopt;
}

std::optional<std::string> purged_key(const kafka::record& record) {
    const auto asked = message_in<edge::v1::CachePurgeRequested>(record);
    return asked ? std::optional(asked->surrogate_key()) : std::nullopt;
}

} // namespace relais::gateway
