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

namespace {

/// Tells the same figures each time.
struct fixed_figures final : collectable {
    void collect(samples& into) const override {
        into.counter("events_total", "Events", {{"kind", "a"}}, 2);
        into.counter("events_total", "Events", {{"kind", "c"}}, 5);
        into.gauge("open", "Open", {}, 1.5);
        const std::vector<std::uint64_t> counts{1, 2, 3};
        into.histogram("wait_seconds", "Wait", {0.1, 1}, {{"queue", "x"}}, counts, 12.5);
    }
};

} // namespace

TEST_CASE("a collectable's figures are added to the registry's", "[metrics]") {
    registry all;
    all.counter("events_total", "Events", {{"kind", "a"}}).increment();
    all.counter("events_total", "Events", {{"kind", "b"}}).increment(7);
    all.histogram("wait_seconds", "Wait", {0.1, 1}, {{"queue", "x"}}).observe(0.5);
    const fixed_figures source;
    all.add(source);
    const auto page = all.serialize();
    CHECK_THAT(page, ContainsSubstring("events_total{kind=\"a\"} 3\n"));
    CHECK_THAT(page, ContainsSubstring("events_total{kind=\"b\"} 7\n"));
    CHECK_THAT(page, ContainsSubstring("events_total{kind=\"c\"} 5\n"));
    CHECK_THAT(page, ContainsSubstring("# TYPE open gauge\nopen 1.5\n"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_bucket{queue=\"x\",le=\"0.1\"} 1\n"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_bucket{queue=\"x\",le=\"1\"} 4\n"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_bucket{queue=\"x\",le=\"+Inf\"} 7\n"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_count{queue=\"x\"} 7\n"));
    CHECK_THAT(page, ContainsSubstring("wait_seconds_sum{queue=\"x\"} 13\n"));
    CHECK(page.find("# TYPE events_total") == page.rfind("# TYPE events_total"));
    CHECK(all.serialize() == page); // nothing is kept from one page to the next
}

TEST_CASE("two collectables may tell of the same series, and one that left tells nothing",
          "[metrics]") {
    registry all;
    const fixed_figures first;
    const fixed_figures second;
    all.add(first);
    all.add(second);
    CHECK_THAT(all.serialize(), ContainsSubstring("events_total{kind=\"c\"} 10\n"));
    all.remove(first);
    CHECK_THAT(all.serialize(), ContainsSubstring("events_total{kind=\"c\"} 5\n"));
    all.remove(second);
    CHECK_THAT(all.serialize(), !ContainsSubstring("events_total"));
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
