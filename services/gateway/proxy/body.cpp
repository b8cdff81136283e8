#include "gateway/proxy/body.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

auto from_now(std::chrono::milliseconds duration) {
    return std::chrono::steady_clock::now() + duration;
}

} // namespace

body_source::body_source(stream& from, http::framing framing, std::uint64_t bytes, pace allowed)
    : from_(from), framing_(framing), left_(bytes), allowed_(allowed),
      finished_(framing == http::framing::none ||
                (framing == http::framing::content_length && bytes == 0)) {}

/// Until when the next byte must come.
stream::time_point body_source::patience() const {
    const auto silence_ends = from_now(allowed_.silence_max);
    if (allowed_.bytes_per_second_min == 0) {
        return silence_ends;
    }
    const std::chrono::seconds earned(seen_ / allowed_.bytes_per_second_min);
    return std::min(silence_ends, began_ + allowed_.silence_max + earned);
}

asio::awaitable<result<void>> body_source::need_input() {
    if (from_.received().empty()) {
        co_return co_await from_.read_more(patience());
    }
    co_return result<void>();
}

asio::awaitable<result<std::string_view>> body_source::next_chunk() {
    while (true) {
        const auto ready = co_await need_input();
        if (!ready) {
            co_return fail(ready);
        }
        const auto step = decoder_.feed(from_.received().unread());
        if (!step) {
            co_return fail(step);
        }
        finished_ = step->finished;
        if (!step->data.empty()) {
            to_use_up_ = step->consumed;
            co_return step->data;
        }
        from_.received().used(step->consumed);
        if (finished_) {
            co_return std::string_view();
        }
    }
}

asio::awaitable<result<std::string_view>> body_source::next(std::uint64_t bytes_max) {
    from_.received().used(to_use_up_);
    to_use_up_ = 0;
    if (finished_) {
        co_return std::string_view();
    }
    std::string_view piece;
    if (framing_ == http::framing::chunked) {
        const auto chunk = co_await next_chunk();
        if (!chunk) {
            co_return fail(chunk);
        }
        piece = *chunk;
    } else {
        const auto ready = co_await need_input();
        if (!ready && framing_ == http::framing::until_close &&
            ready.error().kind == error_kind::unavailable) {
            finished_ = true;
            co_return std::string_view();
        }
        if (!ready) {
            co_return fail(ready);
        }
        piece = from_.received().unread();
        if (framing_ == http::framing::content_length) {
            piece = piece.substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size())));
            left_ -= piece.size();
            finished_ = left_ == 0;
        }
        to_use_up_ = piece.size();
    }
    seen_ += piece.size();
    if (seen_ > bytes_max) {
        co_return fail(error_kind::too_large, "body-too-large",
                       fmt::format("at most {} bytes", bytes_max));
    }
    co_return piece;
}

asio::awaitable<result<void>> body_sink::write(std::string_view piece,
                                               std::chrono::milliseconds idle_max) {
    if (framing_ != http::framing::chunked) {
        co_return co_await to_.write(piece, from_now(idle_max));
    }
    const auto size = fmt::format("{:x}\r\n", piece.size());
    co_return co_await to_.write(size, piece, "\r\n", from_now(idle_max));
}

asio::awaitable<result<void>> body_sink::finish(std::chrono::milliseconds idle_max) {
    if (framing_ == http::framing::chunked) {
        co_return co_await to_.write("0\r\n\r\n", from_now(idle_max));
    }
    co_return result<void>();
}

} // namespace relais::gateway
