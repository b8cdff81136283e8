#pragma once

#include "http/json_reader.hpp"
#include "http/json_writer.hpp"
#include "http/message.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "web-api/store/jobs.hpp"
#include "web-api/store/offers.hpp"

#include <string>
#include <utility>
#include <vector>

namespace relais::web_api {

/// The members of {"amount_minor", "currency"}; the domain decides whether they are money.
std::pair<std::int64_t, std::string> read_money(const http::json_reader& object);

market::v1::Money to_protobuf(const money& value);

void write_money(http::json_writer& json, std::string_view name, const money& value);
void write_job(http::json_writer& json, const store::job& job);
void write_offer(http::json_writer& json, const store::offer& offer);

inline void write_entry(http::json_writer& json, const store::job& job) {
    write_job(json, job);
}

inline void write_entry(http::json_writer& json, const store::offer& offer) {
    write_offer(json, offer);
}

/// {"items": […], "next_cursor": … or null}. `entries` has one more than `limit` when there is a
/// next page; cursor_of(last shown entry) says where it begins.
template <class Entry, class CursorOf>
http::response render_page(std::vector<Entry> entries, std::size_t limit, CursorOf cursor_of) {
    const bool more = entries.size() > limit;
    if (more) {
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(limit), entries.end());
    }
    http::json_writer json;
    json.begin_object().begin_array("items");
    for (const auto& entry : entries) {
        write_entry(json, entry);
    }
    json.end_array();
    if (more) {
        json.member("next_cursor", cursor_of(entries.back()));
    } else {
        json.null_member("next_cursor");
    }
    json.end_object();
    return http::response::json(200, json.take());
}

} // namespace relais::web_api
