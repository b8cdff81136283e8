#include "events/payload_json.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <memory>

namespace relais::events {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MessageFactory;

/// nullptr: unknown.
std::unique_ptr<google::protobuf::Message> make_message(std::string_view type) {
    const auto* known = DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(type));
    if (known == nullptr) {
        return nullptr;
    }
    const auto* prototype = MessageFactory::generated_factory()->GetPrototype(known);
    return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

} // namespace

std::optional<std::string> payload_to_json(std::string_view type, const std::string& payload) {
    const auto message = make_message(type);
    if (!message || !message->ParseFromString(payload)) {
        return std::nullopt;
    }
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string text;
    const auto done = google::protobuf::util::MessageToJsonString(*message, &text, options);
    return done.ok() ? std::optional(text) : std::nullopt;
}

result<std::string> payload_from_json(std::string_view type, std::string_view json) {
    const auto message = make_message(type);
    if (!message) {
        return fail(error_kind::invalid, "unknown-type", std::string(type));
    }
    const auto read = google::protobuf::util::JsonStringToMessage(std::string(json), message.get());
    if (!read.ok()) {
        return fail(error_kind::invalid, "payload-json",
                    std::string(type) + ": " + std::string(read.message()));
    }
    return message->SerializeAsString();
}

} // namespace relais::events
