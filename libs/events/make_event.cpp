#include "events/event.hpp"
#include "relais/options/v1/options.pb.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/reflection.h>

#include <cassert>

namespace relais::events {
namespace {

/// The value of the field that the message's key option names; empty when it names none.
std::string key_of(const google::protobuf::Message& message) {
    const auto& type = *message.GetDescriptor();
    const auto* field = type.FindFieldByName(type.options().GetExtension(relais::options::v1::key));
    if (field == nullptr || field->is_repeated() ||
        field->type() != google::protobuf::FieldDescriptor::TYPE_STRING) {
        return {};
    }
    return message.GetReflection()->GetString(message, field);
}

event start_event(std::string_view service, const cause& why, timestamp now) {
    event made;
    made.id = event_id::make();
    made.source = std::string("relais/").append(service);
    made.time = now;
    made.cause = why;
    if (made.cause.correlation_id.empty()) {
        made.cause.correlation_id = made.id.text();
    }
    return made;
}

} // namespace

cause cause::from_request(const trace::context& trace, std::string request_id) {
    return cause{trace, request_id, std::move(request_id)};
}

cause event::as_cause() const {
    const std::string own_id = id.text();
    return events::cause{cause.trace.child(),
                         cause.correlation_id.empty() ? own_id : cause.correlation_id, own_id};
}

event make_event(const google::protobuf::Message& message, std::string_view service,
                 const cause& why, timestamp now) {
    event made = start_event(service, why, now);
    const auto& type = *message.GetDescriptor();
    made.type = type.full_name();
    made.topic = topic_of(type);
    made.key = key_of(message);
    made.payload = message.SerializeAsString();
    assert(!made.topic.empty() && "the message has no (relais.options.v1.topic)");
    assert(!made.key.empty() && "the field named by (relais.options.v1.key) is empty");
    return made;
}

event make_tombstone(std::string_view topic, std::string_view key, std::string_view service,
                     const cause& why, timestamp now) {
    event made = start_event(service, why, now);
    made.type = tombstone_type;
    made.topic = topic;
    made.key = key;
    made.tombstone = true;
    assert(!made.topic.empty() && !made.key.empty());
    return made;
}

std::string topic_of(const google::protobuf::Descriptor& type) {
    return type.options().GetExtension(relais::options::v1::topic);
}

} // namespace relais::events
