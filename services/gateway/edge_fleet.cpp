#include "gateway/edge_fleet.hpp"

#include "async/timeout.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <fcntl.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::gateway {

edge_fleet::edge_fleet(std::size_t loops, std::size_t connections_max, std::size_t cache_bytes_max,
                       own_listeners own, asio::io_context& control, surroundings given)
    : control_(control), given_(std::move(given)),
      clients_(connections_max,
               [this] {
                   asio::post(control_, [this] { tell_each([](edge& each) { each.on_room(); }); });
               }),
      upstream_clients_([this](const std::string& service, const tls_client* by,
                               const std::string& name) { secure(service, by, name); },
                        given_.time, given_.metrics, given_.logger),
      own_(std::move(own)), listeners_(given_.routes->ticket_keys, listening()),
      certificate_metrics_(listeners_, given_.metrics), cache_(cache_bytes_max),
      cache_metrics_(cache_, given_.metrics), loop_metrics_(given_.metrics) {
    for (std::size_t i = 0; i < loops; ++i) {
        edges_.push_back(std::make_unique<edge>(given_.routes, outside_of(i)));
        loop_metrics_.add(edges_.back()->loop());
    }
}

listener_set::surroundings edge_fleet::listening() {
    return {
        given_.time,
        given_.metrics,
        given_.logger,
        given_.sockets,
        [this](std::size_t listener, int descriptor) {
            for (const auto& each : edges_) {
                const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
                each->post([to = each.get(), listener, own] { to->accept_from(listener, own); });
            }
        },
        [this](std::size_t listener, std::function<void()> done) {
            stop_accepting_from(listener, std::move(done));
        },
        [this](std::size_t listener, int descriptor, const tcp::endpoint& peer) {
            clients_.take(true);
            auto& to = **idlest();
            to.post([&to, listener, descriptor, peer] { to.adopt(descriptor, peer, listener); });
        },
        [this](std::size_t listener, auto rules, const tls_server* security) {
            tell_each([listener, rules = std::move(rules), security](edge& to) {
                to.set_door(listener, rules, security);
            });
        }};
}

void edge_fleet::stop_accepting_from(std::size_t listener, std::function<void()> done) {
    clients_.take(true); // as long as one may be on its way
    const auto finish = [this, done = std::move(done)] {
        done();
        clients_.give_back();
    };
    const auto left = std::make_shared<std::atomic<std::size_t>>(edges_.size());
    tell_each([this, listener, left, finish](edge& to) {
        to.stop_accepting(listener);
        if (left->fetch_sub(1) == 1) {
            asio::post(control_, finish);
        }
    });
}

edge_fleet::some_edge edge_fleet::idlest() const {
    return std::ranges::min_element(edges_, {},
                                    [](const auto& each) { return each->clients_open(); });
}

/// Connections live long, so each loop gets its share, whoever the kernel wakes most.
edge& edge_fleet::serving(edge& by) {
    constexpr std::size_t few = 4;
    auto& other = **idlest();
    const auto least = other.clients_open();
    return by.clients_open() > least + least / 8 + few ? other : by;
}

void edge_fleet::secure(const std::string& service, const tls_client* by,
                        const std::string& server_name) {
    const auto report = [logger = given_.logger](const std::string& whose, std::string_view reason,
                                                 std::string text) {
        logger.warn("upstream.handshake_failed",
                    {{"upstream", whose}, {"reason", reason}, {"detail", std::move(text)}});
    };
    tell_each([service, by, server_name, report](edge& to) {
        to.secure(service, by, server_name, report);
    });
}

/// What an edge calls on its own thread.
edge::outside edge_fleet::outside_of(std::size_t index) {
    return {given_.time,
            limits_,
            cache_,
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
            clients_,
            [this](edge& by) -> edge& { return serving(by); },
            [this](int error) {
                asio::post(control_, [this, error] { listeners_.count_failed_accept(error); });
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

result<void> edge_fleet::start() {
    auto opened = listeners_.start(with_own(own_, *given_.routes));
    if (!opened) {
        return opened; // asked again later
    }
    upstream_clients_.use(given_.routes->upstreams);
    for (const auto& each : edges_) {
        each->start();
    }
    return {};
}

void edge_fleet::use(const std::shared_ptr<const route_table>& routes) {
    tell_each([routes](edge& to) { to.use(routes); });
    upstream_clients_.use(routes->upstreams);
    listeners_.use(routes->ticket_keys);
    listeners_.use(with_own(own_, *routes));
}

asio::awaitable<void> edge_fleet::watch_certificates() {
    constexpr std::chrono::seconds look_period{1};
    while (true) {
        co_await async::sleep_for(look_period);
        listeners_.look();
        upstream_clients_.look();
    }
}

void edge_fleet::stop_accepting() {
    listeners_.close();
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
