#pragma once

#include "clock/clock.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace relais::gateway {

/// What the gateway knows about the request it forwards.
struct forwarding {
    std::string_view peer_address;
    std::string_view request_id;
    std::string_view traceparent;
    std::string_view identity; ///< signed internal identity; empty: none
    std::chrono::milliseconds deadline{0};
    bool keep_authorization = false;
};

/// The head to send upstream, written anew from the client's parsed one: hop-by-hop fields are gone
/// (those that Connection names too), so is every client copy of a field that only we may set, in
/// any spelling; ours are added last, so that naming one of ours in Connection removes nothing of
/// ours.
std::string request_head_for_upstream(const http::request_head& from_client,
                                      const forwarding& about);

/// How the answer's body goes on to the client.
struct answer_framing {
    http::framing framing = http::framing::none;
    std::uint64_t body_bytes = 0;
};

/// The framing that this client understands: chunks for an unknown length, or for HTTP/1.0 until
/// the connection closes.
answer_framing framing_for_client(const http::response_head& answer,
                                  const http::request_head& asked);

/// The head to send to the client: hop-by-hop and internal fields are gone, Date and the request id
/// are there, framing and Connection are ours.
std::string response_head_for_client(const http::response_head& answer,
                                     const http::request_head& asked, const answer_framing& body,
                                     std::string_view request_id, bool keep_alive, timestamp now);

} // namespace relais::gateway
