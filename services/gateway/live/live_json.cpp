#include "gateway/live/live_json.hpp"

#include "gateway/live/request_story.hpp"
#include "host/process.hpp"
#include "http/json_writer.hpp"
#include "log/json_text.hpp"

#include <algorithm>
#include <limits>

namespace relais::gateway {
namespace {

constexpr std::size_t failures_shown = 25;

double ms(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

/// A second; null before there is something to compare with.
double rate(std::uint64_t count, const route_view& of) {
    return of.over.count() > 0 ? static_cast<double>(count) / of.over.count()
                               : std::numeric_limits<double>::quiet_NaN();
}

void add_route_figures(http::json_writer& json, const route_view& view) {
    json.member("requests", view.totals.requests).member("failures", view.totals.failures);
    json.member("client_errors", view.totals.client_errors);
    json.member("per_second", rate(view.lately.requests, view));
    json.member("failures_per_second", rate(view.lately.failures, view));
    json.member("client_errors_per_second", rate(view.lately.client_errors, view));
    json.member("p50_ms", ms(quantile(view.lately, 0.5)));
    json.member("p99_ms", ms(quantile(view.lately, 0.99)));
}

void add_routes(http::json_writer& json, const live_sources& from) {
    route_view all;
    json.begin_array("routes");
    for (const auto& [route, view] : from.board.routes()) {
        all.totals += view.totals;
        all.lately += view.lately;
        all.over = view.over;
        json.begin_object().member("route", log::well_formed(from.names.routes.name(route)));
        add_route_figures(json, view);
        json.end_object();
    }
    json.end_array().begin_object("all");
    add_route_figures(json, all);
    json.end_object();
}

/// An instance as all loops see it together.
struct instance_sum {
    instance_view seen;
    std::size_t ready = 0;   ///< loops that think so
    std::size_t ejected = 0; ///< loops that leave it out
    std::chrono::nanoseconds slowest{};

    void add(const instance_view& one) {
        ready += one.ready ? 1 : 0;
        ejected += one.ejected ? 1 : 0;
        seen.in_flight += one.in_flight;
        seen.bytes_in_flight += one.bytes_in_flight;
        seen.connections += one.connections;
        seen.idle += one.idle;
        slowest = std::max(slowest, one.latency);
    }
};

struct service_sum {
    std::size_t waiting = 0;
    std::map<std::string, instance_sum> instances;
};

std::map<std::string, service_sum> services_of(const std::vector<loop_view>& loops) {
    std::map<std::string, service_sum> out;
    for (const auto& loop : loops) {
        for (const auto& service : loop.services) {
            auto& sum = out[service.name];
            sum.waiting += service.waiting;
            for (const auto& each : service.instances) {
                sum.instances[each.address].add(each);
            }
        }
    }
    return out;
}

void add_services(http::json_writer& json, const live_sources& from) {
    json.begin_array("services");
    for (const auto& [name, sum] : services_of(from.board.loops())) {
        json.begin_object().member("name", name).member("waiting", sum.waiting);
        json.begin_array("instances");
        for (const auto& [address, each] : sum.instances) {
            json.begin_object().member("address", address).member("ready", each.ready > 0);
            json.member("ejected_by", each.ejected).member("in_flight", each.seen.in_flight);
            json.member("bytes_in_flight", each.seen.bytes_in_flight);
            json.member("latency_ms", ms(each.slowest));
            json.member("connections", each.seen.connections).member("idle", each.seen.idle);
            json.end_object();
        }
        json.end_array().end_object();
    }
    json.end_array();
}

void add_upload(http::json_writer& json, const upload_view& each, const access_names& names) {
    json.begin_object().member("request_id", log::well_formed(each.request_id));
    json.member("route", log::well_formed(names.routes.name(each.route)));
    json.member("instance", names.instances.name(each.instance));
    json.member("bytes", each.bytes);
    if (each.size) {
        json.member("size", *each.size);
    }
    json.member("bytes_per_second", each.bytes_per_second);
    json.member("age_s", ms(each.age) / 1000);
    if (const auto left = each.time_left()) {
        json.member("seconds_left", left->count());
    }
    json.end_object();
}

void add_uploads(http::json_writer& json, const live_sources& from) {
    const auto sums = from.board.uploads();
    json.begin_object("uploads").member("count", sums.count).member("bytes_left", sums.bytes_left);
    json.member("unknown", sums.unknown).member("longest_s", sums.longest.count());
    json.begin_array("rows");
    for (const auto& loop : from.board.loops()) {
        for (const auto& each : loop.uploads) {
            add_upload(json, each, from.names);
        }
    }
    json.end_array().end_object();
}

void add_loops(http::json_writer& json, const live_sources& from) {
    json.begin_array("loops");
    for (const auto& each : from.board.loops()) {
        json.begin_object().member("connections", each.connections);
        json.member("requests", each.requests).member("uploads", each.sums.count).end_object();
    }
    json.end_array();
}

void add_certificates(http::json_writer& json, const live_sources& from) {
    json.begin_array("certificates");
    for (const auto& [listener, facts] : from.certificates()) {
        json.begin_object().member("listener", listener);
        json.member("file", log::well_formed(facts.chain_file));
        json.member("kind", to_string(facts.kind)).begin_array("names");
        for (const auto& name : facts.dns_names) {
            json.element(log::well_formed(name));
        }
        json.end_array().member("not_after", facts.not_after);
        const std::chrono::duration<double, std::ratio<86'400>> left = facts.left(from.time.now());
        json.member("days_left", left.count()).end_object();
    }
    json.end_array();
}

} // namespace

std::string live_json(const live_sources& from) {
    http::json_writer json;
    json.begin_object().member("instance", from.instance).member("version", host::version());
    json.member("at", from.time.now()).member("bans", from.bans());
    const auto drain = from.drain();
    json.begin_object("drain").member("draining", drain.draining);
    json.member("since_s", ms(drain.since) / 1000);
    json.member("uploads_max_s", ms(drain.uploads_max) / 1000).end_object();
    add_loops(json, from);
    add_routes(json, from);
    add_services(json, from);
    add_certificates(json, from);
    add_uploads(json, from);
    json.begin_array("failures");
    for (const auto& each : from.recent.notable(failures_shown)) {
        json.raw_element(request_line_json(each, from.names));
    }
    json.end_array().end_object();
    return json.take();
}

} // namespace relais::gateway
