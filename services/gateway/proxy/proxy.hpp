#pragma once

#include "clock/clock.hpp"
#include "gateway/events/security_events.hpp"
#include "gateway/identity/introspector.hpp"
#include "gateway/proxy/body.hpp"
#include "gateway/proxy/heads.hpp"
#include "gateway/proxy/report.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/upstreams.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace relais::gateway {

struct proxy_limits {
    std::chrono::milliseconds idle{75'000};         ///< between requests on a connection
    std::chrono::milliseconds head{10'000};         ///< for a whole head, from its first byte
    std::chrono::milliseconds body_idle{30'000};    ///< between two pieces of a body
    std::uint64_t body_bytes_per_second_min = 1024; ///< averaged over the body, after body_idle
    std::chrono::milliseconds answer_idle{60'000};  ///< between two pieces of an answer's body
    std::chrono::milliseconds upstream_wait{5'000}; ///< for an instance that can be reached
};

/// Carries requests from clients to services and answers back: strict on both sides, bodies
/// streamed with the memory of two buffers, nothing forwarded as it was received.
class proxy {
public:
    struct tools {
        const route_table& routes;
        std::vector<std::unique_ptr<upstream>>& upstreams; ///< by index of the route table
        introspector& identities;
        security_events& security;
        reporter& reports;
        http::deadline_watch& deadlines;
        const clock& time;
        log::logger logger;
    };

    proxy(tools given, proxy_limits limits);

    /// Serves one client until its connection ends.
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    /// From now on answers carry `Connection: close`.
    void announce_drain();

    /// Ends the connections that wait for another request. One whose request has arrived is served,
    /// and a new one has a moment to send its first.
    void close_idle();

private:
    struct exchange;

    boost::asio::awaitable<result<std::size_t>> read_head(stream& client, http::request_head& head,
                                                          bool first);
    boost::asio::awaitable<result<void>> await_request(stream& client, bool first);
    boost::asio::awaitable<void> refuse_connection(stream& client, const std::string& peer,
                                                   const error& why);
    boost::asio::awaitable<bool> handle(stream& client, const http::request_head& head,
                                        const std::string& peer);
    boost::asio::awaitable<bool> run(exchange& going);
    boost::asio::awaitable<result<void>> authenticate(exchange& going);
    boost::asio::awaitable<result<void>> forward(exchange& going);
    boost::asio::awaitable<result<void>> send_request(exchange& going, upstream_connection& to);
    boost::asio::awaitable<result<std::size_t>>
    receive_head(exchange& going, upstream_connection& from, http::response_head& answer);
    boost::asio::awaitable<result<bool>> relay_answer(exchange& going, upstream_connection& from,
                                                      const http::response_head& answer,
                                                      std::size_t head_bytes);
    boost::asio::awaitable<void> refuse(exchange& going, const error& why);

    tools tools_;
    proxy_limits limits_;
    bool draining_ = false;
    bool stopping_ = false;
    std::set<stream*> waiting_; ///< clients between two requests
};

} // namespace relais::gateway
