#include "gateway/edge_fleet.hpp"

#include <boost/asio/post.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::gateway {

edge_fleet::edge_fleet(std::size_t loops, std::size_t connections_max, asio::io_context& control,
                       surroundings given)
    : control_(control), given_(std::move(given)), connections_max_(connections_max),
      listener_(control, given_.metrics, given_.logger, &given_.sockets),
      listener_h2c_(control, given_.metrics, given_.logger, &given_.sockets) {
    for (std::size_t i = 0; i < loops; ++i) {
        edges_.push_back(std::make_unique<edge>(given_.routes, outside_of(i)));
    }
}

/// What an edge calls on its own thread.
edge::outside edge_fleet::outside_of(std::size_t index) {
    return {given_.time,
            limits_,
            given_.metrics,
            given_.names,
            given_.figures.loop(index),
            given_.log.ring(index),
            [this, index](std::string token, const trace::context& where, auto answer) {
                asio::post(control_, [this, index, token = std::move(token), where,
                                      answer = std::move(answer)]() mutable {
                    ask_identity(*edges_[index], std::move(token), where, std::move(answer));
                });
            },
            [this](const access_record& record) {
                asio::post(control_, [this, record] { given_.watch_refusal(record); });
            },
            [this](std::ptrdiff_t change) {
                const auto before = clients_.fetch_add(change);
                if (static_cast<std::size_t>(before) >= connections_max_) {
                    asio::post(control_, [this] {
                        listener_.notify_room();
                        listener_h2c_.notify_room();
                    });
                }
            }};
}

void edge_fleet::ask_identity(edge& whose, std::string token, const trace::context& where,
                              std::function<void(result<introspection>)> answer) {
    auto asking = [](introspector& identities, edge& to, std::string what, trace::context trace,
                     std::function<void(result<introspection>)> then) -> asio::awaitable<void> {
        auto resolving = identities.resolve(std::move(what), trace);
        auto who = co_await std::move(resolving);
        to.post([then = std::move(then), who = std::move(who)] { then(who); });
    };
    given_.tasks.spawn("introspection", asking(given_.identities, whose, std::move(token), where,
                                               std::move(answer)));
}

result<void> edge_fleet::start(const config::endpoint& listen, const config::endpoint& listen_h2c) {
    auto opened = listener_.open(listen);
    if (opened && !listen_h2c.host.empty()) {
        opened = listener_h2c_.open(listen_h2c);
    }
    if (!opened) {
        return opened; // asked again later
    }
    for (const auto& each : edges_) {
        each->start();
    }
    return {};
}

asio::awaitable<void> edge_fleet::accept() {
    return accept_on(listener_, client_wire::http1);
}

asio::awaitable<void> edge_fleet::accept_h2c() {
    return accept_on(listener_h2c_, client_wire::http2);
}

asio::awaitable<void> edge_fleet::accept_on(http::listener& listener, client_wire speaks) {
    return listener.run(
        [this] { return static_cast<std::size_t>(clients_.load()) < connections_max_; },
        [this, speaks](tcp::socket socket) { on_accepted(std::move(socket), speaks); });
}

void edge_fleet::on_accepted(tcp::socket socket, client_wire speaks) {
    boost::system::error_code failed;
    // One that has left already may have sent a request before; it is served like others.
    const auto peer = socket.remote_endpoint(failed);
    const int descriptor = socket.release(failed);
    clients_.fetch_add(1);
    // In turn: connections live long, so each loop gets its share.
    auto& to = *edges_[next_edge_++ % edges_.size()];
    to.post([&to, descriptor, peer, speaks] { to.adopt(descriptor, peer, speaks); });
}

void edge_fleet::stop_accepting() {
    listener_.close();
    listener_h2c_.close();
}

void edge_fleet::close_idle() {
    tell_each([](edge& each) { each.close_idle(); });
}

void edge_fleet::stop() {
    for (const auto& each : edges_) {
        each->stop();
    }
}

void edge_fleet::look(std::size_t loop, std::function<void(loop_view)> answer) {
    auto& asked = *edges_[loop];
    asked.post([this, &asked, answer = std::move(answer)]() mutable {
        asio::post(control_, [seen = asked.look(), answer = std::move(answer)]() mutable {
            answer(std::move(seen));
        });
    });
}

} // namespace relais::gateway
