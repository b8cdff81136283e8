#include "memcache/client.hpp"

#include "async/timeout.hpp"
#include "memcache/meta.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::memcache {
namespace {

constexpr std::chrono::seconds rest_after_failure{1};
constexpr std::size_t idle_connections_max = 8;
constexpr std::size_t reply_line_max = 2048;

struct connection {
    tcp::socket socket;
    std::string received; ///< read but not yet used
};

result<void> io(const boost::system::error_code& failed) {
    if (failed) {
        return fail(error_kind::unavailable, "cache-unavailable", failed.message());
    }
    return {};
}

} // namespace

struct client::impl {
    client_settings settings;
    asio::io_context& loop;
    std::vector<std::unique_ptr<connection>> idle;
    std::chrono::steady_clock::time_point rest_until{};
    metrics::counter hits;
    metrics::counter misses;
    metrics::counter errors;

    impl(client_settings given, asio::io_context& io_loop, metrics::registry& metrics)
        : settings(std::move(given)), loop(io_loop) {
        const auto counter = [&metrics](const char* outcome) {
            return metrics.counter("cache_requests_total", "Requests to memcached by outcome",
                                   {{"result", outcome}});
        };
        hits = counter("hit");
        misses = counter("miss");
        errors = counter("error");
    }

    asio::awaitable<result<std::unique_ptr<connection>>> connect();
    asio::awaitable<result<meta_reply>> exchange(std::string request);
    asio::awaitable<std::optional<meta_reply>> ask(std::string key, std::string request);
};

asio::awaitable<result<std::unique_ptr<connection>>> client::impl::connect() {
    if (!idle.empty()) {
        auto reused = std::move(idle.back());
        idle.pop_back();
        co_return reused;
    }
    boost::system::error_code failed;
    tcp::resolver resolver(loop);
    const auto port = std::to_string(settings.server.port);
    const auto found = co_await resolver.async_resolve(
        settings.server.host, port, asio::redirect_error(asio::use_awaitable, failed));
    auto made = std::make_unique<connection>(connection{tcp::socket(loop), {}});
    if (!failed) {
        co_await asio::async_connect(made->socket, found,
                                     asio::redirect_error(asio::use_awaitable, failed));
    }
    if (failed) {
        co_return fail(io(failed));
    }
    made->socket.set_option(tcp::no_delay(true));
    co_return made;
}

/// One request, one reply. A connection on which anything went wrong is not used again: its next
/// bytes might belong to this request.
asio::awaitable<result<meta_reply>> client::impl::exchange(std::string request) {
    auto connected = co_await connect();
    if (!connected) {
        co_return fail(connected);
    }
    auto& [socket, received] = **connected;
    boost::system::error_code failed;
    co_await asio::async_write(socket, asio::buffer(request),
                               asio::redirect_error(asio::use_awaitable, failed));
    if (failed) {
        co_return fail(io(failed));
    }
    auto line_buffer = asio::dynamic_buffer(received, reply_line_max);
    const std::size_t line_size = co_await asio::async_read_until(
        socket, line_buffer, "\r\n", asio::redirect_error(asio::use_awaitable, failed));
    if (failed) {
        co_return fail(io(failed));
    }
    auto reply = parse_meta_line(std::string_view(received).substr(0, line_size - 2));
    received.erase(0, line_size);
    if (!reply) {
        co_return reply;
    }
    if (reply->value_size) {
        const std::size_t size = *reply->value_size + 2;
        if (size > settings.value_max_bytes + 2) {
            co_return fail(error_kind::too_large, "cache-value-too-large");
        }
        if (received.size() < size) {
            auto rest = asio::dynamic_buffer(received, size);
            co_await asio::async_read(socket, rest, asio::transfer_exactly(size - received.size()),
                                      asio::redirect_error(asio::use_awaitable, failed));
        }
        if (failed) {
            co_return fail(io(failed));
        }
        reply->value = received.substr(0, size - 2);
        received.erase(0, size);
    }
    if (idle.size() < idle_connections_max) {
        idle.push_back(std::move(*connected));
    }
    co_return reply;
}

asio::awaitable<std::optional<meta_reply>> client::impl::ask(std::string key, std::string request) {
    const auto now = std::chrono::steady_clock::now();
    if (now < rest_until || !is_valid_key(key)) {
        errors.increment();
        co_return std::nullopt;
    }
    auto exchanged = exchange(std::move(request));
    auto reply =
        co_await async::with_timeout(std::move(exchanged), settings.timeout, "cache-timeout");
    if (!reply) {
        errors.increment();
        idle.clear(); // the server is away or slow: none of its connections is trusted
        rest_until = std::chrono::steady_clock::now() + rest_after_failure;
        co_return std::nullopt;
    }
    co_return std::move(*reply);
}

client::client(client_settings settings, asio::io_context& loop, metrics::registry& metrics)
    : impl_(std::make_unique<impl>(std::move(settings), loop, metrics)) {}

client::~client() = default;

asio::awaitable<std::optional<std::string>> client::get(std::string key) {
    std::string request = "mg " + key + " v\r\n";
    auto reply = co_await impl_->ask(std::move(key), std::move(request));
    if (!reply) {
        co_return std::nullopt;
    }
    const bool hit = reply->value_size.has_value();
    (hit ? impl_->hits : impl_->misses).increment();
    if (!hit) {
        co_return std::nullopt;
    }
    co_return std::move(reply->value);
}

asio::awaitable<lookup> client::get_or_lease(std::string key) {
    std::string request = "mg " + key + " v c N5\r\n";
    auto reply = co_await impl_->ask(std::move(key), std::move(request));
    lookup found;
    if (!reply) {
        co_return found;
    }
    const bool hit = reply->value_size.has_value() && !reply->stale_or_gap;
    (hit ? impl_->hits : impl_->misses).increment();
    if (hit) {
        found.value = std::move(reply->value);
    } else if (reply->won) {
        found.lease = reply->cas;
    }
    co_return found;
}

asio::awaitable<void> client::set_leased(std::string key, std::string value,
                                         std::chrono::seconds ttl, std::uint64_t lease) {
    if (value.size() > impl_->settings.value_max_bytes) {
        impl_->errors.increment();
        co_return;
    }
    std::string request = "ms " + key + " " + std::to_string(value.size()) + " T" +
                          std::to_string(ttl.count()) + " C" + std::to_string(lease) + "\r\n" +
                          value + "\r\n";
    co_await impl_->ask(std::move(key), std::move(request));
}

asio::awaitable<void> client::set(std::string key, std::string value, std::chrono::seconds ttl) {
    if (value.size() > impl_->settings.value_max_bytes) {
        impl_->errors.increment();
        co_return;
    }
    std::string request = "ms " + key + " " + std::to_string(value.size()) + " T" +
                          std::to_string(ttl.count()) + "\r\n" + value + "\r\n";
    co_await impl_->ask(std::move(key), std::move(request));
}

asio::awaitable<bool> client::remove(std::string key) {
    std::string request = "md " + key + "\r\n";
    const auto reply = co_await impl_->ask(std::move(key), std::move(request));
    co_return reply.has_value();
}

} // namespace relais::memcache
