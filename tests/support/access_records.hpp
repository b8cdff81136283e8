#pragma once

#include "gateway/access/access_record.hpp"

#include <chrono>
#include <cstring>
#include <string_view>

namespace relais::test {

/// A request that went well: GET /v1/jobs from 203.0.113.77, answered by web-api in 12.345 ms.
inline gateway::access_record finished_request(gateway::access_names& names,
                                               std::string_view request_id = "request-1") {
    using std::chrono::microseconds;
    gateway::access_record made;
    made.start = timestamp(microseconds(1'790'000'000'123'456)); // 2026-09-21T14:13:20.123456Z
    made.total = microseconds(12'345);
    made.queue = microseconds(7);
    made.connect = microseconds(450);
    made.service = microseconds(10'002);
    made.transfer = microseconds(1'300);
    made.request_bytes = 17;
    made.response_bytes = 4'711;
    made.trace = *trace::context::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    made.set_client(std::array<std::uint8_t, 4>{203, 0, 113, 77});
    made.route = names.routes.index_of("/v1");
    made.upstream = names.upstreams.index_of("web-api");
    made.upstream_instance = names.instances.index_of("10.0.0.7:8411");
    made.status = 200;
    made.method.assign("GET");
    made.request_id.assign(request_id);
    made.set_target("/v1/jobs?limit=1");
    made.user_agent.assign("curl/8.5.0");
    return made;
}

/// The same request in a trace of its own.
inline gateway::access_record finished_request(gateway::access_names& names, std::uint64_t number) {
    auto made = finished_request(names, "request-" + std::to_string(number));
    std::memcpy(made.trace.trace_id.data(), &number, sizeof number);
    return made;
}

} // namespace relais::test
