#include "gateway/live/request_story.hpp"

#include "clock/rfc3339.hpp"
#include "gateway/access/reason_text.hpp"
#include "gateway/access/shown_address.hpp"
#include "http/json_writer.hpp"
#include "log/json_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace relais::gateway {
namespace {

using std::chrono::microseconds;

double ms(microseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

std::string network_of(const access_record& record) {
    std::string out;
    append_client(out, record, client_shown::network);
    return out.empty() ? "nobody knows where" : out;
}

std::string trace_id_of(const access_record& record) {
    return fmt::format("{:02x}", fmt::join(record.trace.trace_id, ""));
}

/// The gateway's own answers never came from a service, not even when one was asked before.
bool is_own_answer(const access_record& record) {
    return record.reason != error_reason::none;
}

std::string arrival_of(const access_record& record) {
    if (record.method.empty()) {
        return "Bytes came that could not be read as a request, or the connection itself was "
               "refused.";
    }
    return fmt::format("{} {} came from {} over {}{}.", log::well_formed(record.method.view()),
                       log::well_formed(record.path.view()), network_of(record),
                       to_string(record.protocol), record.tls ? " with TLS" : "");
}

std::string route_of(const access_record& record, const access_names& names) {
    if (record.route == name_table::other) {
        return "No route was looked for, or none was found.";
    }
    return fmt::format("The route {} matched: it leads to {}.", names.routes.name(record.route),
                       names.upstreams.name(record.upstream));
}

std::string identity_of(const access_record& record) {
    return record.account ? fmt::format("The caller is account {}.", record.account->text())
                          : std::string("Nobody in particular asked: no token was exchanged.");
}

std::string sending_of(const access_record& record, const access_names& names) {
    std::string out = fmt::format(
        "It went to {} over a connection that was {}{}",
        names.instances.name(record.upstream_instance),
        record.connection_reused ? "open already" : "made for it",
        record.connect == not_reached ? "" : fmt::format(" in {:.1f} ms", ms(record.connect)));
    if (record.queue > microseconds(1'000)) {
        out += fmt::format(", after {:.1f} ms of waiting for one", ms(record.queue));
    }
    if (record.retries > 0) {
        out += fmt::format(", on try {}: the connection of the one before broke before any answer",
                           record.retries + 1);
    }
    return out + (record.hedged ? "; a second instance was asked, too." : ".");
}

std::string outcome_of(const access_record& record) {
    if (is_own_answer(record)) {
        const auto& text = text_of(record.reason);
        return fmt::format("{}{}", text.what,
                           record.detail.empty()
                               ? ""
                               : fmt::format(" ({})", log::well_formed(record.detail.view())));
    }
    return fmt::format(
        "{} answered {}{}.", record.upstream_instance == name_table::none ? "The gateway" : "It",
        record.status,
        record.service == not_reached ? "" : fmt::format(" after {:.1f} ms", ms(record.service)));
}

void add_phase(http::json_writer& json, std::string_view name, microseconds time) {
    if (time != not_reached) {
        json.member(name, ms(time));
    }
}

void add_reason(http::json_writer& json, const access_record& record) {
    const auto& text = text_of(record.reason);
    json.member("reason", to_string(record.reason));
    json.member("heroku_code", heroku_code(record.reason));
    json.member("detail", log::well_formed(record.detail.view()));
    json.member("explanation", text.what).member("next_step", text.next);
}

void add_upstream(http::json_writer& json, const access_record& record, const access_names& names) {
    json.member("upstream", names.upstreams.name(record.upstream));
    json.member("upstream_instance", names.instances.name(record.upstream_instance));
    json.member("connection_reused", record.connection_reused);
    json.member("retries", int{record.retries}).member("hedged", record.hedged);
    json.member("cache", to_string(record.cache));
    json.begin_object("phases_ms");
    add_phase(json, "queue", record.queue);
    add_phase(json, "connect", record.connect);
    add_phase(json, "service", record.service);
    add_phase(json, "transfer", record.transfer);
    json.member("total", ms(record.total)).end_object();
}

} // namespace

std::vector<std::string> story_of(const access_record& record, const access_names& names) {
    std::vector<std::string> out{arrival_of(record), route_of(record, names)};
    const bool came_to_identity = record.account || record.queue != not_reached;
    if (came_to_identity) {
        out.push_back(identity_of(record));
    }
    if (record.upstream_instance != name_table::none) {
        out.push_back(sending_of(record, names));
    }
    out.push_back(outcome_of(record));
    const bool seen = !(record.reason == error_reason::client_disconnect && record.status == 499);
    out.push_back(fmt::format("{} after {:.1f} ms; {} bytes had come and {} went out.",
                              seen ? fmt::format("It ended with status {}", record.status)
                                   : std::string("It ended without an answer"),
                              ms(record.total), record.request_bytes, record.response_bytes));
    if (is_own_answer(record)) {
        out.push_back(fmt::format("Next: {}", text_of(record.reason).next));
    }
    return out;
}

std::string request_json(const access_record& record, const access_names& names) {
    http::json_writer json;
    json.begin_object().member("request_id", log::well_formed(record.request_id.view()));
    json.member("trace_id", trace_id_of(record)).member("started_at", record.start);
    json.member("method", log::well_formed(record.method.view()));
    json.member("path", log::well_formed(record.path.view()));
    json.member("protocol", to_string(record.protocol)).member("tls", record.tls);
    json.member("client_network", network_of(record));
    json.member("user_agent", log::well_formed(record.user_agent.view()));
    json.member("route", names.routes.name(record.route)).member("status", int{record.status});
    json.member("identity", record.account ? "account" : "none");
    if (record.account) {
        json.member("account_id", record.account->text());
    }
    add_reason(json, record);
    add_upstream(json, record, names);
    json.member("request_bytes", record.request_bytes);
    json.member("response_bytes", record.response_bytes);
    json.begin_array("story");
    for (const auto& sentence : story_of(record, names)) {
        json.element(sentence);
    }
    json.end_array().end_object();
    return json.take();
}

std::string request_line_json(const access_record& record, const access_names& names) {
    http::json_writer json;
    json.begin_object().member("request_id", log::well_formed(record.request_id.view()));
    json.member("started_at", record.start);
    json.member("method", log::well_formed(record.method.view()));
    json.member("path", log::well_formed(record.path.view()));
    json.member("route", names.routes.name(record.route)).member("status", int{record.status});
    json.member("reason", to_string(record.reason)).member("total_ms", ms(record.total));
    json.member("upstream_instance", names.instances.name(record.upstream_instance)).end_object();
    return json.take();
}

} // namespace relais::gateway
