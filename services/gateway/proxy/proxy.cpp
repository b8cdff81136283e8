#include "gateway/proxy/proxy.hpp"

#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/refusals.hpp"

#include <fmt/format.h>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t linger_bytes_max = std::size_t{256} * 1024;
constexpr std::chrono::milliseconds linger_time{2'000};
constexpr std::chrono::milliseconds first_request_while_stopping{1'000};
constexpr std::string_view bearer = "Bearer ";

std::string peer_of(const asio::ip::tcp::socket& socket) {
    boost::system::error_code failed;
    const auto peer = socket.remote_endpoint(failed);
    return failed ? std::string("unknown") : peer.address().to_string();
}

/// Counts something while it lives.
class counted {
public:
    explicit counted(metrics::gauge& in) : in_(in) {
        in_.add(1);
    }

    ~counted() {
        in_.add(-1);
    }

    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;

private:
    metrics::gauge& in_;
};

} // namespace

proxy::proxy(tools given, proxy_limits limits) : tools_(std::move(given)), limits_(limits) {}

void proxy::announce_drain() {
    draining_ = true;
}

void proxy::close_idle() {
    stopping_ = true;
    for (stream* each : waiting_) {
        if (each->is_quiet()) {
            each->cancel(); // not closed: a read that has completed still brings its request
        }
    }
}

/// Waits for the first byte of a request.
asio::awaitable<result<void>> proxy::await_request(stream& client, bool first) {
    if (!client.received().empty()) {
        co_return result<void>();
    }
    if (stopping_ && !first && client.is_quiet()) {
        co_return fail(error_kind::unavailable, "stream-closed");
    }
    const auto patience =
        stopping_ ? std::min(limits_.idle, first_request_while_stopping) : limits_.idle;
    if (!first) {
        waiting_.insert(&client);
    }
    const auto came = co_await client.read_more(steady::now() + patience);
    waiting_.erase(&client);
    co_return came;
}

/// Reads until a whole head is there. Slow heads end by their own deadline, not per read.
asio::awaitable<result<std::size_t>> proxy::read_head(stream& client, http::request_head& head,
                                                      bool first) {
    const auto came = co_await await_request(client, first);
    if (!came) {
        co_return fail(came);
    }
    const auto until = steady::now() + limits_.head;
    while (true) {
        const auto parsed = http::parse_request_head(client.received().unread(), {}, head);
        if (!parsed || *parsed > 0) {
            co_return parsed;
        }
        const auto more = co_await client.read_more(until);
        if (!more) {
            co_return more.error().kind == error_kind::timeout
                ? fail(error_kind::invalid, "request-timeout", "the head took too long")
                : fail(more);
        }
    }
}

asio::awaitable<void> proxy::refuse_connection(stream& client, const std::string& peer,
                                               const error& why) {
    http::request_head nothing;
    nothing.method = "GET";
    exchange refused(client, nothing, peer, {});
    refused.keep_alive = false;
    refused.record.method = "other";
    begin_record(refused.record, nothing);
    co_await refuse(refused, why);
    tools_.reports.report(refused.record);
    tools_.security.refused(refused.record);
    co_await client.linger(linger_bytes_max, linger_time);
}

asio::awaitable<void> proxy::serve(asio::ip::tcp::socket socket) {
    const std::string peer = peer_of(socket);
    const counted open(tools_.reports.connections);
    stream client(std::move(socket), tools_.deadlines);
    http::request_head head;
    bool go_on = true;
    for (bool first = true; go_on; first = false) {
        const auto parsed = co_await read_head(client, head, first);
        if (!parsed) {
            const auto& why = parsed.error();
            if (why.slug != "stream-closed" && why.slug != "stream-timeout") {
                co_await refuse_connection(client, peer, why);
            }
            co_return;
        }
        // The head's views point into the buffer, which the body needs: the head is copied once.
        const std::string kept(client.received().unread().substr(0, *parsed));
        client.received().used(*parsed);
        const auto again = http::parse_request_head(kept, {}, head);
        if (!again) {
            co_return;
        }
        go_on = co_await handle(client, head, peer);
    }
}

asio::awaitable<bool> proxy::handle(stream& client, const http::request_head& head,
                                    const std::string& peer) {
    const counted active(tools_.reports.active_requests);
    exchange going(client, head, peer, {limits_.body_idle, limits_.body_bytes_per_second_min});
    begin_record(going.record, head);
    // No persistent connection with an HTTP/1.0 client (RFC 9112, appendix C.2.2).
    going.keep_alive = head.keep_alive && head.version_minor == 1 && !draining_;
    const bool clean = co_await run(going);
    going.record.request_bytes = going.body.bytes_seen();
    tools_.reports.report(going.record);
    if (!going.record.reason.empty()) {
        tools_.security.refused(going.record);
    }
    if (clean && going.keep_alive && going.body.finished()) {
        co_return true;
    }
    co_await client.linger(linger_bytes_max, linger_time);
    co_return false;
}

/// False when the connection cannot go on.
asio::awaitable<bool> proxy::run(exchange& going) {
    going.route = tools_.routes.find(going.head.path);
    result<void> outcome = check_route(going.route, going.head);
    if (going.route != nullptr) {
        going.record.route = going.route->prefix;
        going.record.upstream = tools_.routes.upstreams[going.route->upstream].name;
        going.until = going.record.start + going.route->deadline;
    }
    if (outcome) {
        outcome = co_await authenticate(going);
    }
    if (outcome) {
        outcome = co_await forward(going);
    }
    if (outcome) {
        co_return true;
    }
    if (going.answer_began) {
        going.record.reason = reason_of(outcome.error());
        co_return false; // half an answer is out: closing tells the client
    }
    co_await refuse(going, outcome.error());
    co_return true;
}

asio::awaitable<result<void>> proxy::authenticate(exchange& going) {
    const auto given = going.head.find("authorization");
    if (going.route->credentials == credentials::forward || !given) {
        co_return result<void>();
    }
    if (!given->starts_with(bearer)) {
        co_return fail(error_kind::unauthenticated, "invalid-token", "use a bearer token");
    }
    std::string token(given->substr(bearer.size()));
    const auto who = co_await tools_.identities.resolve(std::move(token), going.record.trace);
    if (!who) {
        co_return fail(who);
    }
    if (!*who) {
        co_return fail(error_kind::unauthenticated, "invalid-token",
                       "the token is unknown, expired or revoked");
    }
    going.identity = (*who)->signed_header;
    co_return result<void>();
}

asio::awaitable<void> proxy::refuse(exchange& going, const error& why) {
    going.record.reason = reason_of(why);
    const bool masked = going.route != nullptr && going.route->failures_as_429;
    const auto answer = refusal_answer(masked ? failure_as_429(why) : why, going.record);
    going.record.status = answer.status;
    if (!going.body.finished()) {
        going.keep_alive = false; // the rest of the body would be taken for a request
    }
    const auto text = render_refusal(answer, going.record, going.keep_alive,
                                     going.head.method == "HEAD", tools_.time.now());
    going.record.response_bytes = answer.body.size();
    const auto written = co_await going.client.write(text, steady::now() + limits_.body_idle);
    if (!written) {
        going.keep_alive = false;
        going.record.reason = "client_disconnect";
    }
}

} // namespace relais::gateway
