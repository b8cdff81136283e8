#pragma once

#include "gateway/proxy/proxy.hpp"

namespace relais::gateway {

/// One request on its way through the gateway.
struct proxy::exchange {
    stream& client;
    const http::request_head& head;
    const std::string& peer;
    exchange_record record;
    body_source body;
    const gateway::route* route = nullptr;
    std::string identity;
    std::chrono::steady_clock::time_point until; ///< the answer's head must be there
    bool answer_began = false;                   ///< bytes of an answer went to the client
    bool keep_alive = true;

    exchange(stream& from, const http::request_head& asked, const std::string& address,
             pace allowed)
        : client(from), head(asked), peer(address),
          body(from, asked.framing, asked.body_bytes, allowed), keep_alive(asked.keep_alive) {
        record.start = std::chrono::steady_clock::now();
        record.method = std::string(asked.method);
    }
};

} // namespace relais::gateway
