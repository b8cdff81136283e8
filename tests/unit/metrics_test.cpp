#include "metrics/registry.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais::metrics;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the same series is given out for the same name and labels", "[metrics]") {
    registry all;
    all.counter("events_total", "Events", {{"kind", "a"}}).increment();
    all.counter("events_total", "Events", {{"kind", "a"}}).increment(2);
    all.counter("events_total", "Events", {{"kind", "b"}});
    const auto page = all.serialize();
    CHECK_THAT(page, ContainsSubstring("events_total{kind=\"a\"} 3"));
    CHECK_THAT(page, ContainsSubstring("events_total{kind=\"b\"} 0"));
}

TEST_CASE("histograms are cumulative with the given bounds", "[metrics]") {
    registry all;
    const auto seconds = all.histogram("wait_seconds", "Wait", {0.1, 1});
    seconds.observe(0.05);
    seconds.observe(0.5);
    const auto page = all.serialize();
    CHECK_THAT(page, ContainsSubstring("wait_seconds_bucket{le=\"0.1\"} 1"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_bucket{le=\"1\"} 2"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_count 2"));
}

TEST_CASE("a handle that was never registered counts nothing", "[metrics]") {
    const counter nothing;
    nothing.increment();
    CHECK(nothing.value() == 0);
}

TEST_CASE("process metrics read the kernel's figures", "[metrics]") {
    registry all;
    process_metrics process(all, "test", "1.0");
    process.update();
    const auto page = all.serialize();
    CHECK_THAT(page, ContainsSubstring("build_info{service=\"test\",version=\"1.0\"} 1"));
    CHECK_THAT(page, !ContainsSubstring("process_resident_memory_bytes 0\n"));
    CHECK_THAT(page, !ContainsSubstring("process_open_fds 0\n"));
}
