#include "http/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace relais::http {
namespace {

constexpr std::chrono::milliseconds pause_after_error{50};

} // namespace

listener::listener(asio::io_context& loop, metrics::registry& metrics, log::logger logger,
                   socket_shelf* sockets)
    : socket_(sockets), acceptor_(loop), wake_(loop), logger_(std::move(logger)),
      errors_(metrics.counter("http_server_accept_errors_total",
                              "Connections that could not be accepted")) {}

listener::~listener() {
    let_go();
}

result<void> listener::open(const config::endpoint& where) {
    if (socket_.is_open()) {
        return {};
    }
    if (auto opened = socket_.open(where); !opened) {
        return opened;
    }
    acceptor_.assign(socket_.local().protocol(), socket_.descriptor());
    return {};
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
    if (!socket_.given_away()) {
        empty_queue();
    }
    let_go();
    wake_.notify_all();
}

void listener::empty_queue() {
    error_code failed;
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
    if (acceptor_.is_open()) {
        error_code ignored;
        acceptor_.release(ignored);
    }
    socket_.close();
}

} // namespace relais::http
