#include "http/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace relais::http {
namespace {

constexpr std::chrono::milliseconds pause_after_error{50};

} // namespace

listener::listener(asio::io_context& loop, metrics::registry& metrics, log::logger logger,
                   socket_shelf* sockets)
    : acceptor_(loop), wake_(loop), logger_(std::move(logger)),
      errors_(metrics.counter("http_server_accept_errors_total",
                              "Connections that could not be accepted")),
      sockets_(sockets) {}

listener::~listener() {
    let_go();
}

result<void> listener::open(const config::endpoint& where) {
    if (acceptor_.is_open()) {
        return {};
    }
    error_code failed;
    const int inherited = sockets_ == nullptr ? -1 : sockets_->take(where.text());
    if (inherited >= 0) {
        adopt(inherited, failed);
    } else {
        bind(where, failed);
    }
    if (failed) {
        error_code ignored;
        acceptor_.close(ignored);
        return fail(error_kind::unavailable, "listen-failed",
                    "cannot listen on " + where.text() + ": " + failed.message());
    }
    port_ = acceptor_.local_endpoint().port();
    if (sockets_ != nullptr) {
        sockets_->add_open(where.text(), acceptor_.native_handle());
    }
    return {};
}

void listener::bind(const config::endpoint& where, error_code& failed) {
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found =
        resolver.resolve(where.host, std::to_string(where.port), tcp::resolver::passive, failed);
    if (failed) {
        return;
    }
    const tcp::endpoint address = *found.begin();
    acceptor_.open(address.protocol(), failed);
    if (!failed) {
        acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    }
    if (!failed) {
        acceptor_.set_option(tcp::no_delay(true), failed); // what it accepts has it, too
    }
    if (!failed) {
        acceptor_.bind(address, failed);
    }
    if (!failed) {
        acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    }
}

void listener::adopt(int descriptor, error_code& failed) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::getsockname(descriptor, raw, &size) != 0) {
        failed.assign(errno, boost::system::system_category());
        ::close(descriptor);
        return;
    }
    acceptor_.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, failed);
    if (failed) {
        ::close(descriptor);
    }
}

asio::awaitable<void> listener::run(std::function<bool()> has_room,
                                    std::function<void(tcp::socket)> on_connection) {
    on_connection_ = std::move(on_connection);
    while (!closed_) {
        if (!has_room()) {
            co_await wake_.wait();
            continue;
        }
        const bool accepted = co_await accept_one();
        if (!accepted && !closed_) {
            // Out of descriptors or memory: trying again at once would spin.
            co_await wake_.wait_for(pause_after_error);
        }
    }
}

asio::awaitable<bool> listener::accept_one() {
    auto [failed, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
    if (failed == asio::error::operation_aborted) {
        closed_ = true;
        co_return false;
    }
    if (failed) {
        count_error(failed.message());
        co_return false;
    }
    hand_over(std::move(socket));
    co_return true;
}

void listener::count_error(const std::string& what) {
    errors_.increment();
    logger_.warn("http.accept_failed", {{"error", what}});
}

asio::awaitable<void>
listener::run_descriptors(std::function<bool()> has_room,
                          std::function<void(int, const tcp::endpoint&)> on_descriptor) {
    on_descriptor_ = std::move(on_descriptor);
    error_code failed;
    acceptor_.native_non_blocking(true, failed);
    while (!closed_) {
        if (!has_room()) {
            co_await wake_.wait();
            continue;
        }
        const auto [ended] = co_await acceptor_.async_wait(tcp::acceptor::wait_read,
                                                           asio::as_tuple(asio::use_awaitable));
        if (ended) {
            closed_ = true;
        } else if (!accept_waiting(has_room) && !closed_) {
            co_await wake_.wait_for(pause_after_error);
        }
    }
}

/// As many as wait, for whom there is room. False: for now there is no use in going on.
bool listener::accept_waiting(const std::function<bool()>& has_room) {
    constexpr int at_a_time = 64; // then others on this loop have their turn
    for (int i = 0; i < at_a_time && has_room(); ++i) {
        tcp::endpoint peer;
        auto size = static_cast<socklen_t>(peer.capacity());
        const int descriptor =
            ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor >= 0) {
            peer.resize(size);
            on_descriptor_(descriptor, peer);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return true;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            count_error(error_code(errno, boost::system::system_category()).message());
            return false;
        }
    }
    return true;
}

void listener::hand_over(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    on_connection_(std::move(socket));
}

void listener::notify_room() {
    wake_.notify_all();
}

void listener::close() {
    closed_ = true;
    if (sockets_ == nullptr || !sockets_->given_away()) {
        empty_queue();
    }
    let_go();
    wake_.notify_all();
}

void listener::empty_queue() {
    error_code failed;
    if (on_descriptor_ && acceptor_.is_open()) {
        accept_waiting([] { return true; });
    }
    acceptor_.non_blocking(true, failed);
    while (!failed && on_connection_) {
        tcp::socket waiting(acceptor_.get_executor());
        acceptor_.accept(waiting, failed);
        if (!failed) {
            hand_over(std::move(waiting));
        }
    }
}

/// Not acceptor_.close(): while another process has the socket, only leaving the reactor by name
/// ends its events, and those would be for whatever comes to stand in its place.
void listener::let_go() {
    if (!acceptor_.is_open()) {
        return;
    }
    if (sockets_ != nullptr) {
        sockets_->remove_open(acceptor_.native_handle());
    }
    error_code failed;
    const int descriptor = acceptor_.release(failed);
    if (!failed) {
        ::close(descriptor);
    }
}

} // namespace relais::http
