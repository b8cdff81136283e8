#include "inbox/record_json.hpp"

#include "events/payload_json.hpp"
#include "http/json_writer.hpp"
#include "ids/encoding.hpp"

#include <algorithm>

namespace relais::inbox {
namespace {

std::string header_of(const events::headers& fields, std::string_view name) {
    const auto found = std::ranges::find(fields, name, &events::header::first);
    return found == fields.end() ? std::string() : found->second;
}

} // namespace

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
                   events::payload_to_json(header_of(record.headers, "ce_type"), *record.value)) {
        json.raw_member("data", *data);
    } else {
        json.member("data_base64url", to_base64url(as_bytes(*record.value)));
    }
    json.end_object();
    return json.take();
}

} // namespace relais::inbox
