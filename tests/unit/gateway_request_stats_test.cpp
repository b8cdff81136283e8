#include "gateway/access/request_metrics.hpp"
#include "support/access_records.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <cmath>
#include <thread>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::finished_request;

TEST_CASE("bounds of durations are those of the metrics library", "[gateway]") {
    const auto& bounds = metrics::request_seconds();
    REQUIRE(bounds.size() == duration_cells::bounds_us.size());
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        CHECK(std::llround(bounds[i] * 1e6) == duration_cells::bounds_us[i]);
    }
}

TEST_CASE("a duration falls into the bucket whose bound it does not exceed", "[gateway]") {
    duration_cells cells;
    cells.observe(-5us);
    cells.observe(1ms);
    cells.observe(1'001us);
    cells.observe(10s);
    cells.observe(10s + 1us);
    CHECK(cells.count(0) == 2);
    CHECK(cells.count(1) == 1);
    CHECK(cells.count(15) == 1);
    CHECK(cells.count(16) == 1);
    CHECK(cells.sum_us() == 1'000 + 1'001 + 10'000'000 + 10'000'001);
}

TEST_CASE("the loops' figures are added up on the page", "[gateway]") {
    access_names names;
    metrics::registry registry;
    request_metrics all(2, names, registry);
    auto record = finished_request(names);
    all.loop(0).observe(record);
    all.loop(1).observe(record);
    record.status = 502;
    record.method.assign("BREW");
    record.reason = error_reason::upstream_reset;
    all.loop(1).observe(record);
    access_record refused;
    refused.method.assign("GET");
    refused.status = 404;
    refused.reason = error_reason::no_route;
    all.loop(0).observe(refused);
    all.loop(0).connection_opened();
    all.loop(1).connection_opened();
    all.loop(1).request_began();
    all.loop(0).connection_closed();
    const auto page = registry.serialize();
    CHECK_THAT(page, ContainsSubstring(
                         "http_server_request_duration_seconds_count{code=\"200\",method=\"GET\","
                         "route=\"/v1\"} 2\n"));
    CHECK_THAT(page, ContainsSubstring(
                         "http_server_request_duration_seconds_bucket{code=\"200\",method=\"GET\","
                         "route=\"/v1\",le=\"0.025\"} 2\n"));
    CHECK_THAT(page, ContainsSubstring(
                         "http_server_request_duration_seconds_bucket{code=\"200\",method=\"GET\","
                         "route=\"/v1\",le=\"0.01\"} 0\n"));
    CHECK_THAT(page, ContainsSubstring(
                         "http_server_request_duration_seconds_sum{code=\"200\",method=\"GET\","
                         "route=\"/v1\"} 0.02469\n"));
    CHECK_THAT(page, ContainsSubstring("_count{code=\"502\",method=\"other\",route=\"/v1\"} 1\n"));
    CHECK_THAT(page, ContainsSubstring("_count{code=\"404\",method=\"GET\",route=\"other\"} 1\n"));
    CHECK_THAT(page, ContainsSubstring("gateway_errors_total{reason=\"upstream_reset\","
                                       "upstream=\"web-api\"} 1\n"));
    CHECK_THAT(
        page, ContainsSubstring("gateway_errors_total{reason=\"no_route\",upstream=\"none\"} 1\n"));
    CHECK_THAT(page, ContainsSubstring("gateway_errors_total{reason=\"upstream_timeout\","
                                       "upstream=\"web-api\"} 0\n"));
    CHECK_THAT(page, ContainsSubstring("gateway_upstream_duration_seconds_count{phase=\"service\","
                                       "upstream=\"web-api\"} 3\n"));
    CHECK_THAT(page, ContainsSubstring("http_server_connections 1\n"));
    CHECK_THAT(page, ContainsSubstring("http_server_active_requests 1\n"));
}

TEST_CASE("figures that the admin listener counts, too, are one family", "[gateway]") {
    access_names names;
    metrics::registry registry;
    registry.gauge("http_server_connections", "Open connections of clients").set(2);
    request_metrics all(1, names, registry);
    all.loop(0).connection_opened();
    const auto page = registry.serialize();
    CHECK_THAT(page, ContainsSubstring("http_server_connections 3\n"));
    CHECK(page.find("# TYPE http_server_connections") ==
          page.rfind("# TYPE http_server_connections"));
}

TEST_CASE("a phase that was not reached is not counted", "[gateway]") {
    access_names names;
    request_stats stats(names);
    auto record = finished_request(names);
    record.connect = not_reached;
    stats.observe(record);
    const auto* cells = stats.upstream(record.upstream);
    REQUIRE(cells != nullptr);
    const auto sum = [&](upstream_phase phase) {
        return cells->phases[static_cast<std::size_t>(phase)].sum_us();
    };
    CHECK(sum(upstream_phase::queue) == 7);
    CHECK(sum(upstream_phase::connect) == 0);
    CHECK(sum(upstream_phase::service) == 10'002);
    CHECK(sum(upstream_phase::transfer) == 1'300);
    record.upstream = 60'000; // never given out
    stats.observe(record);
    CHECK(stats.upstream(name_table::other)->phases[0].sum_us() == 7);
}

TEST_CASE("what is over the bound of cells counts under other, and nothing is lost", "[gateway]") {
    access_names names;
    request_stats stats(names, 8);
    access_record record;
    record.method.assign("GET");
    std::uint64_t observed = 0;
    for (std::uint16_t route = 2; route < 300; ++route) {
        for (const std::uint16_t status : {200, 404, 503}) {
            record.route = route;
            record.status = status;
            stats.observe(record);
            ++observed;
        }
    }
    for (std::uint32_t status = 0; status < 65'536; ++status) {
        record.status = static_cast<std::uint16_t>(status);
        stats.observe(record);
        ++observed;
    }
    std::uint64_t counted = 0;
    std::size_t of_their_own = 0;
    const auto& cells = stats.requests();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        for (std::size_t bucket = 0; bucket < duration_cells::buckets; ++bucket) {
            counted += cells[i].durations.count(bucket);
        }
        of_their_own += cells[i].route == name_table::other ? 0 : 1;
    }
    CHECK(counted == observed);
    CHECK(of_their_own == 8);
    CHECK(cells.size() <= 8 + 256 + 10);
}

TEST_CASE("methods that clients make up share a label", "[gateway]") {
    for (const auto* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        CHECK(to_string(label_of(method)) == method);
    }
    for (const auto* method : {"", "get", "GETX", "BREW", "other"}) {
        CHECK(to_string(label_of(method)) == "other");
    }
}

TEST_CASE("a page made while loops count shows no more than they counted", "[gateway]") {
    constexpr int count = 100'000;
    access_names names;
    metrics::registry registry;
    request_metrics all(2, names, registry);
    std::vector<std::jthread> loops;
    for (std::size_t i = 0; i < 2; ++i) {
        loops.emplace_back([&all, &names, i] {
            auto record = finished_request(names);
            for (int n = 0; n < count; ++n) {
                record.route = static_cast<std::uint16_t>(2 + n % 500); // new cells all the time
                all.loop(i).observe(record);
            }
        });
    }
    for (int i = 0; i < 5; ++i) {
        CHECK_THAT(registry.serialize(), ContainsSubstring("http_server_connections 0"));
    }
    loops.clear();
    CHECK_THAT(registry.serialize(),
               ContainsSubstring(fmt::format("gateway_upstream_duration_seconds_count{{phase="
                                             "\"queue\",upstream=\"web-api\"}} {}\n",
                                             2 * count)));
}
