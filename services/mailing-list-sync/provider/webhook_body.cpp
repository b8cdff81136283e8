#include "mailing-list-sync/provider/webhook_body.hpp"

#include "http/json_reader.hpp"

#include <boost/json.hpp>

#include <array>

namespace json = boost::json;

namespace relais::mailing_list_sync {
namespace {

using kind = provider_event::kind;

constexpr std::array<std::pair<std::string_view, kind>, 8> names{{
    {"unsubscribed", kind::unsubscribed},
    {"unsubscribe", kind::unsubscribed},
    {"spam", kind::complaint},
    {"complaint", kind::complaint},
    {"delivered", kind::campaign_progress},
    {"hard_bounce", kind::campaign_progress},
    {"hard_bounced", kind::campaign_progress},
    {"soft_bounce", kind::campaign_progress},
}};

kind kind_of(std::string_view name) {
    for (const auto& [word, meaning] : names) {
        if (word == name) {
            return meaning;
        }
    }
    return kind::unknown;
}

} // namespace

result<std::vector<std::string>> split_webhook(std::string_view body) {
    boost::system::error_code failed;
    const json::value parsed = json::parse(body, failed);
    if (failed) {
        return fail(error_kind::invalid, "malformed-json", failed.message());
    }
    std::vector<std::string> out;
    if (parsed.is_object()) {
        out.push_back(json::serialize(parsed));
    } else if (parsed.is_array()) {
        for (const auto& entry : parsed.as_array()) {
            out.push_back(json::serialize(entry));
        }
    } else {
        return fail(error_kind::invalid, "malformed-json", "neither an object nor an array");
    }
    return out;
}

result<provider_event> read_webhook(std::string_view object, timestamp received) {
    constexpr std::int64_t latest_second = 4'102'444'800; // the year 2100
    constexpr std::int64_t largest_id = std::int64_t{1} << 52;
    const http::json_reader body(object);
    body.allow_unknown();
    provider_event out;
    out.name = body.text("event", {1, 64});
    out.email = body.optional_text("email", {0, 320}).value_or("");
    const auto second = body.optional_integer("ts_event", 0, latest_second);
    out.occurred_at = second ? timestamp(std::chrono::seconds(*second)) : received;
    out.campaign = body.optional_integer("camp_id", 0, largest_id).value_or(0);
    out.what = kind_of(out.name);
    if (const auto problems = body.finish(); !problems.empty()) {
        return std::unexpected(problems.front());
    }
    return out;
}

} // namespace relais::mailing_list_sync
