#include "clock/rfc3339.hpp"
#include "gateway/access/access_line.hpp"
#include "support/access_records.hpp"
#include "support/log_pipe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>

using namespace relais;
using namespace relais::gateway;
using test::finished_request;
using test::parse_line;

namespace {

std::string line_of(const access_names& names, const access_record& record,
                    client_shown shown = client_shown::network) {
    access_lines lines("gateway", "gateway-1", names, shown);
    std::string out;
    lines.append(out, record);
    return out;
}

std::string random_bytes(std::mt19937_64& random, std::size_t size) {
    std::string out(size, '\0');
    for (char& each : out) {
        each = static_cast<char>(random());
    }
    return out;
}

} // namespace

TEST_CASE("a request becomes a line with the log's keys", "[gateway]") {
    access_names names;
    CHECK(line_of(names, finished_request(names)) ==
          R"({"timestamp":"2026-09-21T14:13:20.135801Z","severity":"INFO","service":"gateway",)"
          R"("instance":"gateway-1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",)"
          R"("span_id":"00f067aa0ba902b7","event":"request","method":"GET","route":"/v1",)"
          R"("status":200,"duration_ms":12.345,"request_bytes":17,"response_bytes":4711,)"
          R"("request_id":"request-1","error_reason":"","code":"","upstream_ms":10.002,)"
          R"("queue_ms":0.007,"connect_ms":0.450,"transfer_ms":1.300,"upstream":"web-api",)"
          R"("upstream_instance":"10.0.0.7:8411","protocol":"HTTP/1.1","tls":false,)"
          R"("path":"/v1/jobs","client":"203.0.113.0/24","user_agent":"curl/8.5.0"})"
          "\n");
}

TEST_CASE("a line says what was out of the ordinary", "[gateway]") {
    access_names names;
    auto record = finished_request(names);
    record.status = 504;
    record.reason = error_reason::upstream_timeout;
    record.detail.assign_marked("no \"answer\" " + std::string(100, '.'));
    record.retries = 2;
    record.hedged = true;
    record.connection_reused = true;
    record.connect = not_reached;
    record.tls = true;
    record.cache = cache_status::stale;
    record.protocol = http_protocol::http_2;
    record.account = *uuid::parse("01941f29-7c00-7aaa-8aaa-0123456789ab");
    const auto line = parse_line(line_of(names, record, client_shown::whole));
    CHECK(line.at("error_reason") == "upstream_timeout");
    CHECK(line.at("code") == "H12");
    CHECK(line.at("detail").as_string() == "no \"answer\" " + std::string(56, '.') + "…");
    CHECK(line.at("retries") == 2);
    CHECK(line.at("hedged") == true);
    CHECK(line.at("connection_reused") == true);
    CHECK(line.at("tls") == true);
    CHECK(line.at("cache") == "stale");
    CHECK(line.at("protocol") == "HTTP/2");
    CHECK(line.at("account_id") == "01941f29-7c00-7aaa-8aaa-0123456789ab");
    CHECK(line.at("client") == "203.0.113.77");
    CHECK_FALSE(line.contains("connect_ms"));
}

TEST_CASE("a record that nobody filled in is a line, too", "[gateway]") {
    const access_names names;
    const auto line = parse_line(line_of(names, access_record()));
    CHECK(line.at("route") == "other");
    CHECK(line.at("upstream") == "");
    CHECK(line.at("upstream_ms") == 0.0);
    CHECK(line.at("request_id") == "");
    CHECK_FALSE(line.contains("client"));
    CHECK_FALSE(line.contains("detail"));
    CHECK_FALSE(line.contains("queue_ms"));
}

TEST_CASE("lines of several seconds have their own times", "[gateway]") {
    access_names names;
    access_lines lines("gateway", "gateway-1", names, client_shown::none);
    auto record = finished_request(names);
    record.total = {};
    for (const auto* expected : {"2026-09-21T14:13:20.000000Z", "2026-09-21T14:13:19.999999Z",
                                 "2026-09-21T14:13:20.999999Z", "2024-02-29T23:59:59.000001Z"}) {
        record.start = *parse_rfc3339(expected);
        std::string out;
        lines.append(out, record);
        CHECK(parse_line(out).at("timestamp") == expected);
    }
}

TEST_CASE("any bytes in a record's texts are one line of valid JSON", "[gateway]") {
    std::mt19937_64 random(20'261'130);
    access_names names;
    access_lines lines("gateway", "gateway-1", names, client_shown::network);
    for (int i = 0; i < 3'000; ++i) {
        auto record = finished_request(names);
        record.method.assign(random_bytes(random, random() % 20));
        record.request_id.assign(random_bytes(random, random() % 140));
        record.set_target(random_bytes(random, random() % 100));
        record.user_agent.assign(random_bytes(random, random() % 100));
        record.detail.assign_marked(random_bytes(random, random() % 100));
        record.route = names.routes.index_of(random_bytes(random, random() % 50));
        record.upstream = names.upstreams.index_of(random_bytes(random, random() % 50));
        record.status = static_cast<std::uint16_t>(random());
        record.response_bytes = random();
        record.total = std::chrono::microseconds(random() % (1ULL << 50U));
        std::string line;
        lines.append(line, record);
        REQUIRE(line.find('\n') == line.size() - 1);
        const auto read = parse_line(line);
        REQUIRE(read.at("response_bytes").to_number<std::uint64_t>() == record.response_bytes);
        REQUIRE(read.at("method").is_string());
    }
}
