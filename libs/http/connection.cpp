#include "http/connection.hpp"

namespace asio = boost::asio;

namespace relais::http {
namespace {

gate_limits limits_of(const server_settings& settings) {
    gate_limits limits;
    limits.head_bytes_max = settings.header_max_bytes;
    limits.fields_max = settings.header_max_count;
    limits.target_bytes_max = std::min(limits.target_bytes_max, settings.header_max_bytes);
    return limits;
}

/// Health checks and scrapes would be most of the log.
bool is_logged(const request& about) {
    return about.route != "/livez" && about.route != "/readyz" && about.route != "/metrics";
}

std::string reason_of(const error& refused) {
    if (refused.slug == "body-too-large") {
        return "body_too_large";
    }
    return refused.slug == "request-timeout" ? "timeout" : "malformed";
}

/// Counts a request as in progress while it lives.
class active_request {
public:
    explicit active_request(server_context& shared) : shared_(shared) {
        ++shared_.active;
        shared_.counted.active_requests.add(1);
    }

    ~active_request() {
        --shared_.active;
        shared_.counted.active_requests.add(-1);
    }

    active_request(const active_request&) = delete;
    active_request& operator=(const active_request&) = delete;

private:
    server_context& shared_;
};

} // namespace

asio::awaitable<void> connection::run() {
    while (keep_alive_ && !broken_) {
        auto reading = read_head();
        const result<bool> got = co_await std::move(reading);
        if (!got) {
            co_await refuse(got.error());
        } else if (*got) {
            co_await answer_one();
        } else {
            break;
        }
    }
    if (!broken_) {
        co_await linger();
    }
}

/// Waits as long as a connection may idle for the first byte, then as long as a head may take for
/// the whole of it, however slowly its bytes drip.
asio::awaitable<result<bool>> connection::read_head() {
    const auto limits = limits_of(shared_.settings);
    idle_ = buffer_.size() == 0;
    auto idle_timeout = shared_.settings.idle_timeout;
    if (shared_.stopping) {
        idle_timeout = std::min(idle_timeout, first_request_while_stopping);
    }
    deadline_.set_after(idle_ ? idle_timeout : shared_.settings.header_timeout);
    while (true) {
        if (buffer_.size() > 0) {
            const auto used = parse_request_head(buffered(), limits, head_);
            if (!used) {
                co_return fail(used);
            }
            if (*used > 0) {
                head_bytes_ = *used;
                first_ = false;
                co_return true;
            }
        }
        if (idle_ && is_stopping_and_quiet()) {
            co_return false;
        }
        auto reading = read_more();
        const result<void> more = co_await std::move(reading);
        if (!more && (idle_ || broken_)) {
            co_return false;
        }
        if (!more) {
            co_return fail(more);
        }
        if (idle_) {
            idle_ = false;
            deadline_.set_after(shared_.settings.header_timeout);
        }
    }
}

asio::awaitable<void> connection::answer_one() {
    const active_request counted(shared_);
    const auto began = std::chrono::steady_clock::now();
    dispatch what = begin_dispatch(head_, shared_.routes, peer_);
    keep_alive_ = head_.keep_alive && head_.version_minor == 1;
    buffer_.consume(head_bytes_); // from here on the views in head_ dangle
    auto reading = read_body(what.request, what.body_max);
    const result<void> whole = co_await std::move(reading);
    if (broken_) {
        co_return;
    }
    deadline_.clear();
    response answer;
    if (whole) {
        auto answering = shared_.dispatcher.run(what);
        answer = co_await std::move(answering);
    } else {
        // The rest of the body is not read, so where the next request begins is not known.
        keep_alive_ = false;
        shared_.counted.count_rejected(reason_of(whole.error()));
        answer = problem(whole.error(), &what.request);
    }
    const int status = answer.status;
    const std::size_t bytes_out = answer.body.size();
    auto writing = write(std::move(answer), what.request);
    co_await std::move(writing);
    record(what.request, status, bytes_out, began);
}

/// Errors: `too_large` / "body-too-large", "malformed-request", "request-timeout".
asio::awaitable<result<void>> connection::read_body(request& into, std::size_t at_most) {
    const error too_large{error_kind::too_large, "body-too-large",
                          "the body may have at most " + std::to_string(at_most) + " bytes", "",
                          std::nullopt};
    if (head_.framing == framing::content_length && head_.body_bytes > at_most) {
        co_return std::unexpected(too_large);
    }
    body_decoder decoder(head_.framing, head_.body_bytes);
    if (head_.expect_continue && !decoder.finished() && buffer_.size() == 0) {
        co_await say_continue();
    }
    deadline_.set_after(shared_.settings.body_timeout);
    while (!decoder.finished()) {
        if (buffer_.size() == 0) {
            auto reading = read_more();
            const result<void> more = co_await std::move(reading);
            if (!more) {
                co_return more;
            }
        }
        const auto step = decoder.feed(buffered());
        if (!step) {
            co_return fail(step);
        }
        if (into.body.size() + step->data.size() > at_most) {
            co_return std::unexpected(too_large);
        }
        into.body.append(step->data);
        buffer_.consume(step->consumed);
    }
    co_return result<void>();
}

/// The answer to what is no request; the connection ends with it.
asio::awaitable<void> connection::refuse(const error& why) {
    keep_alive_ = false;
    request about;
    about.method = "other";
    about.route = "other";
    about.request_id = make_uuid_v7().text();
    about.trace = trace::context::start();
    shared_.counted.count_rejected(reason_of(why));
    const auto began = std::chrono::steady_clock::now();
    response answer = problem(why, &about);
    const int status = answer.status;
    const std::size_t bytes_out = answer.body.size();
    auto writing = write(std::move(answer), about);
    co_await std::move(writing);
    record(about, status, bytes_out, began);
}

void connection::record(const request& about, int status, std::size_t bytes_out,
                        std::chrono::steady_clock::time_point began) {
    const auto took = std::chrono::steady_clock::now() - began;
    shared_.counted.observe(about.route, about.method, status, took);
    if (is_logged(about)) {
        const std::chrono::duration<double, std::milli> took_ms = took;
        shared_.logger.with(about.trace)
            .info("http.request", {{"method", about.method},
                                   {"route", about.route},
                                   {"path", about.path},
                                   {"status", status},
                                   {"duration_ms", took_ms.count()},
                                   {"bytes_in", about.body.size()},
                                   {"bytes_out", bytes_out},
                                   {"request_id", about.request_id},
                                   {"client_gone", broken_}});
    }
}

} // namespace relais::http
