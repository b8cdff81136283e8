// How one exchange goes to a service and back.
#include "gateway/proxy/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int interim_answers_max = 8;
constexpr auto unbounded = std::numeric_limits<std::uint64_t>::max();

bool is_idempotent(std::string_view method) {
    return method != "POST" && method != "PATCH";
}

error bad_gateway(std::string_view slug, std::string detail) {
    return {error_kind::unavailable, std::string(slug), std::move(detail), "", std::nullopt};
}

} // namespace

/// Sends the request and relays the answer. A request is sent again only when that is safe: the
/// connection had been idle in the pool, broke before any byte of an answer, the method is
/// idempotent and no body was taken from the client.
asio::awaitable<result<void>> proxy::forward(exchange& going) {
    auto& service = *tools_.upstreams[going.route->upstream];
    bool fresh = false;
    for (int attempt = 1;; ++attempt) {
        const auto wait_until = std::min(going.until, steady::now() + limits_.upstream_wait);
        auto acquired = co_await service.acquire(fresh, wait_until);
        if (!acquired) {
            co_return fail(acquired);
        }
        auto began = steady::now();
        auto sent = co_await send_request(going, *acquired);
        http::response_head answer;
        result<std::size_t> head_bytes = fail(error_kind::unavailable, "upstream-reset");
        if (sent || sent.error().slug == "upstream-write-failed") {
            // A service that refuses early answers and closes: its answer counts, not the reset.
            began = steady::now(); // the time a client takes to send is not the service's
            head_bytes = co_await receive_head(going, *acquired, answer);
        } else {
            service.drop(std::move(*acquired));
            co_return sent;
        }
        going.record.upstream_time += steady::now() - began;
        service.observe_answer(steady::now() - began);
        if (!head_bytes) {
            const bool again =
                acquired->reused && attempt == 1 && head_bytes.error().slug == "upstream-reset" &&
                is_idempotent(going.head.method) && going.head.framing == http::framing::none;
            service.drop(std::move(*acquired));
            if (again) {
                fresh = true;
                continue;
            }
            co_return fail(head_bytes);
        }
        if (!sent) {
            going.keep_alive = false;
        }
        const auto reusable = co_await relay_answer(going, *acquired, answer, *head_bytes);
        if (reusable && *reusable && sent) {
            service.release(std::move(*acquired));
        } else {
            service.drop(std::move(*acquired));
        }
        if (!reusable) {
            co_return fail(reusable);
        }
        co_return result<void>();
    }
}

asio::awaitable<result<void>> proxy::send_request(exchange& going, upstream_connection& to) {
    forwarding about;
    const std::string traceparent = going.record.trace.child().traceparent();
    about.peer_address = going.peer;
    about.request_id = going.record.request_id;
    about.traceparent = traceparent;
    about.identity = going.identity;
    about.keep_authorization = going.route->credentials == credentials::forward;
    about.deadline =
        std::chrono::duration_cast<std::chrono::milliseconds>(going.until - steady::now());
    const auto head = request_head_for_upstream(going.head, about);
    auto written = co_await to.connection.write(head, steady::now() + limits_.body_idle);
    if (!written) {
        co_return fail(error_kind::unavailable, "upstream-write-failed");
    }
    if (going.head.expect_continue && !going.body.finished()) {
        const auto asked =
            co_await going.client.write(continue_line, steady::now() + limits_.body_idle);
        if (!asked) {
            co_return fail(error_kind::unavailable, "client-gone");
        }
    }
    body_sink sink(to.connection, going.head.framing);
    while (true) {
        const auto piece = co_await going.body.next(going.route->body_max_bytes);
        if (!piece) {
            const auto& why = piece.error();
            co_return why.slug == "stream-closed" ? fail(error_kind::unavailable, "client-gone")
            : why.slug == "stream-timeout"        ? fail(error_kind::timeout, "request-timeout")
                                                  : fail(piece);
        }
        if (piece->empty()) {
            break;
        }
        if (!to.connection.is_quiet()) {
            // It answers already (or is gone): what it says counts, the rest of the body does not.
            co_return fail(error_kind::unavailable, "upstream-write-failed");
        }
        written = co_await sink.write(*piece, limits_.body_idle);
        if (!written) {
            co_return fail(error_kind::unavailable, "upstream-write-failed");
        }
    }
    written = co_await sink.finish(limits_.body_idle);
    if (!written) {
        co_return fail(error_kind::unavailable, "upstream-write-failed");
    }
    // The time a client took to send its body is not the service's.
    going.until = std::max(going.until, steady::now() + going.route->deadline / 2);
    co_return result<void>();
}

/// The final answer's head; interim ones are dropped, because we asked for none.
asio::awaitable<result<std::size_t>> proxy::receive_head(exchange& going, upstream_connection& from,
                                                         http::response_head& answer) {
    auto& buffer = from.connection.received();
    int interim = 0;
    while (true) {
        if (!buffer.empty()) {
            const auto parsed =
                http::parse_response_head(buffer.unread(), {}, going.head.method, answer);
            if (!parsed) {
                co_return std::unexpected(bad_gateway("upstream-malformed", parsed.error().detail));
            }
            if (*parsed > 0 && answer.status >= 200) {
                co_return *parsed;
            }
            if (*parsed > 0) {
                if (answer.status == 101 || ++interim > interim_answers_max) {
                    co_return std::unexpected(
                        bad_gateway("upstream-malformed", "an interim answer nobody asked for"));
                }
                buffer.used(*parsed);
                continue;
            }
        }
        const bool nothing_yet = buffer.empty() && interim == 0;
        const auto more = co_await from.connection.read_more(going.until);
        if (!more && more.error().kind == error_kind::timeout) {
            co_return fail(error_kind::timeout, "upstream-timeout",
                           "the service did not answer in time");
        }
        if (!more) {
            co_return std::unexpected(
                bad_gateway(nothing_yet ? "upstream-reset" : "upstream-malformed",
                            "the service closed the connection"));
        }
    }
}

/// True when the upstream connection may be used again.
asio::awaitable<result<bool>> proxy::relay_answer(exchange& going, upstream_connection& from,
                                                  const http::response_head& answer,
                                                  std::size_t head_bytes) {
    if (going.route->failures_as_429 && answer.status >= 500) {
        co_return fail(error_kind::unavailable, "upstream-failed",
                       fmt::format("the service answered {}", answer.status));
    }
    const auto framing = framing_for_client(answer, going.head);
    if (framing.framing == http::framing::until_close) {
        going.keep_alive = false;
    }
    if (!going.body.finished()) {
        going.keep_alive = false;
    }
    going.record.status = answer.status;
    const bool upstream_keeps = answer.keep_alive;
    const auto upstream_framing = answer.framing;
    const auto upstream_bytes = answer.body_bytes;
    const auto head = response_head_for_client(answer, going.head, framing, going.record.request_id,
                                               going.keep_alive, tools_.time.now());
    from.connection.received().used(head_bytes); // the views of `answer` end here
    going.answer_began = true;
    body_source source(from.connection, upstream_framing, upstream_bytes, {limits_.answer_idle});
    body_sink sink(going.client, framing.framing);
    auto written = co_await going.client.write(head, steady::now() + limits_.answer_idle);
    while (written && !source.finished()) {
        const auto piece = co_await source.next(unbounded);
        if (!piece) {
            co_return std::unexpected(bad_gateway("upstream-reset", "the answer broke off"));
        }
        if (!piece->empty()) {
            written = co_await sink.write(*piece, limits_.answer_idle);
        }
    }
    if (written) {
        const auto rest = co_await source.next(unbounded); // uses up the last piece
        written = rest ? co_await sink.finish(limits_.answer_idle) : written;
    }
    going.record.response_bytes = source.bytes_seen();
    if (!written) {
        co_return fail(error_kind::unavailable, "client-gone");
    }
    // Bytes behind the answer are not a second answer: such a connection is never used again.
    co_return upstream_keeps&& from.connection.received().empty() &&
        upstream_framing != http::framing::until_close;
}

} // namespace relais::gateway
