#include "config/reader.hpp"
#include "gateway/access/access_settings.hpp"
#include "gateway/access/sampling.hpp"
#include "support/access_records.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <cstring>
#include <limits>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using test::finished_request;

namespace {

int share_of_10000(double rate, bool with_trace) {
    const sampling chosen(rate, 1s);
    access_record record;
    int count = 0;
    for (std::uint64_t i = 1; i <= 10'000; ++i) {
        if (with_trace) {
            std::memcpy(record.trace.trace_id.data(), &i, sizeof i);
        } else {
            record.request_id.assign(std::to_string(i));
        }
        count += chosen.in_share(record) ? 1 : 0;
    }
    return count;
}

} // namespace

TEST_CASE("a share of the requests is chosen, by trace or by request id", "[gateway]") {
    for (const bool with_trace : {true, false}) {
        CHECK(share_of_10000(0, with_trace) == 0);
        CHECK(share_of_10000(-1, with_trace) == 0);
        CHECK(share_of_10000(std::numeric_limits<double>::quiet_NaN(), with_trace) == 0);
        CHECK(share_of_10000(1, with_trace) == 10'000);
        CHECK(share_of_10000(7, with_trace) == 10'000);
        CHECK(std::abs(share_of_10000(0.1, with_trace) - 1'000) < 150);
        CHECK(std::abs(share_of_10000(0.999, with_trace) - 9'990) < 15);
    }
}

TEST_CASE("the same trace is chosen everywhere or nowhere", "[gateway]") {
    access_names names;
    const sampling here(0.5, 1s);
    const sampling there(0.5, 20s);
    const sampling more(0.8, 1s);
    for (std::uint64_t i = 1; i <= 1'000; ++i) {
        const auto record = finished_request(names, i);
        auto same = finished_request(names, i);
        same.request_id.assign("another hop's");
        same.status = 503;
        CHECK(here.in_share(record) == there.in_share(same));
        CHECK((!here.in_share(record) || more.in_share(record)));
    }
}

TEST_CASE("what failed or was slow is always chosen", "[gateway]") {
    access_names names;
    const sampling none(0, 1s);
    auto record = finished_request(names);
    CHECK_FALSE(none.always(record));
    record.status = 404; // of the service
    CHECK_FALSE(none.always(record));
    record.reason = error_reason::no_route;
    CHECK(none.always(record));
    record = finished_request(names);
    record.status = 500;
    CHECK(none.always(record));
    CHECK(sampling::failed(record));
    record = finished_request(names);
    record.total = 1s;
    CHECK_FALSE(none.always(record));
    record.total = 1s + 1us;
    CHECK(none.always(record));
    CHECK_FALSE(sampling::failed(record));
}

TEST_CASE("one of a share stands for the others", "[gateway]") {
    CHECK(sampling(0.01, 1s).weight() == 100);
    CHECK(sampling(1, 1s).weight() == 1);
    CHECK(sampling(0, 1s).weight() == 1);
}

TEST_CASE("the access log's settings are read, and wrong ones named", "[gateway]") {
    config::reader usual({});
    const auto defaults = read_access_settings(usual);
    CHECK(usual.problems().empty());
    CHECK(defaults.lines == access_log_lines::all);
    CHECK(defaults.client == client_shown::network);
    CHECK(defaults.sample_rate == 0.01);

    config::reader given({{"RELAIS_ACCESS_LOG", "errors"},
                          {"RELAIS_ACCESS_LOG_CLIENT", "whole"},
                          {"RELAIS_ACCESS_SAMPLE_RATE", "0.25"},
                          {"RELAIS_ACCESS_SLOW_MS", "250"},
                          {"RELAIS_ACCESS_EVENTS_PER_SECOND_MAX", "7"}});
    const auto settings = read_access_settings(given);
    CHECK(given.problems().empty());
    CHECK(settings.lines == access_log_lines::errors);
    CHECK(settings.client == client_shown::whole);
    CHECK(settings.sample_rate == 0.25);
    CHECK(settings.slow_after == 250ms);
    CHECK(settings.events_per_second_max == 7);

    for (const auto* rate : {"1.5", "-0.1", "nan", "inf", "0.1x", "much"}) {
        config::reader wrong({{"RELAIS_ACCESS_SAMPLE_RATE", rate}});
        read_access_settings(wrong);
        INFO(rate);
        CHECK(wrong.problems().size() == 1);
    }
}
