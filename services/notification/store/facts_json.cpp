#include "notification/store/facts_json.hpp"

#include "clock/rfc3339.hpp"
#include "http/json_reader.hpp"
#include "http/json_writer.hpp"

#include <limits>

namespace relais::notification {
namespace {

constexpr http::text_limits any_text{1, 64};

/// Parses a member that is there; notes when it does not parse.
template <class Parse>
auto member(const http::json_reader& from, std::string_view name, Parse parse, bool& sound)
    -> std::optional<typename decltype(parse(std::string()))::value_type> {
    const auto text = from.optional_text(name, any_text);
    if (!text) {
        return std::nullopt;
    }
    auto value = parse(*text);
    if (!value) {
        sound = false;
        return std::nullopt;
    }
    return *value;
}

} // namespace

std::string to_json(const facts& value) {
    http::json_writer json;
    json.begin_object();
    if (value.token_id) {
        json.member("token_id", value.token_id->text());
    }
    if (value.token_expires_at) {
        json.member("token_expires_at", *value.token_expires_at);
    }
    if (value.job) {
        json.member("job_id", *value.job);
    }
    if (value.offer) {
        json.member("offer_id", *value.offer);
    }
    if (value.price) {
        json.member("amount_minor", value.price->amount_minor);
        json.member("currency", value.price->currency);
    }
    json.end_object();
    return json.take();
}

result<facts> facts_from_json(std::string_view json) {
    const http::json_reader from(json);
    bool sound = true;
    facts out;
    const auto parse_uuid = [](const std::string& text) {
        return uuid::parse(text);
    };
    const auto parse_time = [](const std::string& text) {
        return parse_rfc3339(text);
    };
    out.token_id = member(from, "token_id", parse_uuid, sound);
    out.token_expires_at = member(from, "token_expires_at", parse_time, sound);
    if (const auto job = member(from, "job_id", parse_uuid, sound)) {
        out.job = job_id(*job);
    }
    if (const auto offer = member(from, "offer_id", parse_uuid, sound)) {
        out.offer = offer_id(*offer);
    }
    const auto amount =
        from.optional_integer("amount_minor", std::numeric_limits<std::int64_t>::min(),
                              std::numeric_limits<std::int64_t>::max());
    if (amount) {
        out.price = money{*amount, from.text("currency", {3, 3})};
    }
    if (!sound || !from.finish().empty()) {
        return fail(error_kind::internal, "bad-facts");
    }
    return out;
}

} // namespace relais::notification
