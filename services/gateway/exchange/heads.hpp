#pragma once

#include "gateway/client/client_side.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// What the gateway knows about the request it forwards.
struct forwarding {
    std::string_view path;    ///< in place of the client's; empty: that one
    std::string_view service; ///< its name: the Host of a request that has none (HTTP/1.0)
    std::string_view client_address;
    std::string_view scheme = "http";
    std::string_view request_id;
    std::string_view traceparent;
    std::string_view identity; ///< signed internal identity; empty: none
    std::chrono::milliseconds deadline{0};
    bool keep_authorization = false;
    bool respond_async = false; ///< the service shall not keep the client waiting
    std::string_view upgrade;   ///< the other protocol that the client may switch to; empty: none
};

/// Appends the head to send to a service, written anew from the client's parsed one: hop-by-hop
/// fields are gone (those that Connection names too), so is every client copy of a field that only
/// we may set, in any spelling; ours are added last, so that naming one of ours in Connection
/// removes nothing of ours.
void write_request_head(const http::request_head& from_client, const forwarding& about,
                        std::string& out);

/// The answer's head for the client, as views into the service's: hop-by-hop and internal fields
/// are gone, Date and the request id are there. `to` is reused.
void take_answer_head(const http::response_head& from, std::string_view request_id,
                      std::string_view date_now, answer_head& to);

/// The fields of an interim answer (1xx) for the client. With 101 `upgrade` is the protocol.
void take_interim_head(const http::response_head& from, std::string_view upgrade, answer_head& to);

/// Appends an interim answer as HTTP/1.1 text: no framing.
void write_interim_head(const answer_head& head, std::string& out);

/// Appends a head as HTTP/1.1 text with its framing. Gives whether the body goes in chunks.
/// `version_minor`: of the client; one that speaks HTTP/1.0 gets a body of unknown length until the
/// connection closes, so `keep_alive` must be false then.
bool write_answer_head(const answer_head& head, std::string_view request_method, int version_minor,
                       bool keep_alive, std::string& out);

} // namespace relais::gateway
