#include "ctl/record_json.hpp"

#include "http/json_writer.hpp"
#include "ids/encoding.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>

namespace relais::ctl {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MessageFactory;

std::string header_of(const events::headers& fields, std::string_view name) {
    const auto found = std::ranges::find(fields, name, &events::header::first);
    return found == fields.end() ? std::string() : found->second;
}

} // namespace

std::optional<std::string> payload_json(std::string_view type, const std::string& payload) {
    const auto* known = DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(type));
    if (known == nullptr) {
        return std::nullopt;
    }
    const std::unique_ptr<google::protobuf::Message> message(
        MessageFactory::generated_factory()->GetPrototype(known)->New());
    if (!message->ParseFromString(payload)) {
        return std::nullopt;
    }
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string text;
    const auto done = google::protobuf::util::MessageToJsonString(*message, &text, options);
    return done.ok() ? std::optional(text) : std::nullopt;
}

std::string record_json(const kafka::record& record) {
    http::json_writer json;
    json.begin_object()
        .member("topic", record.topic)
        .member("partition", record.partition)
        .member("offset", record.offset)
        .member("time", record.time)
        .member("key", record.key);
    json.begin_object("headers");
    for (const auto& [name, value] : record.headers) {
        json.member(name, value);
    }
    json.end_object();
    if (!record.value) {
        json.null_member("data");
    } else if (const auto data =
                   payload_json(header_of(record.headers, "ce_type"), *record.value)) {
        json.raw_member("data", *data);
    } else {
        json.member("data_base64url", to_base64url(as_bytes(*record.value)));
    }
    json.end_object();
    return json.take();
}

} // namespace relais::ctl
