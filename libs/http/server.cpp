#include "http/server.hpp"

#include "http/connection.hpp"
#include "http/listener.hpp"

#include <boost/asio/co_spawn.hpp>

#include <unordered_set>

namespace asio = boost::asio;

namespace relais::http {

struct server::impl {
    server_context shared;
    listener accepting;
    async::signal emptied;
    async::task_group tasks;
    std::unordered_set<connection*> connections;
    std::size_t open = 0; ///< with those whose task has not begun yet

    impl(server_settings settings, std::vector<route> routes, const identity_verifier* verify,
         asio::io_context& loop, metrics::registry& metrics, const log::logger& logger)
        : shared{std::move(settings),
                 router(std::move(routes)),
                 dispatcher(verify, metrics, logger),
                 server_metrics(metrics),
                 logger,
                 deadline_watch(loop)},
          accepting(loop, metrics, logger, shared.settings.sockets), emptied(loop),
          tasks(loop, [logger](const std::string& name, const std::string& what) {
              logger.error("http.task_failed", {{"task", name}, {"error", what}});
          }) {}

    asio::awaitable<void> serve(asio::ip::tcp::socket socket) {
        connection one(shared, std::move(socket));
        connections.insert(&one);
        try {
            co_await one.run();
        } catch (...) {
            forget(&one);
            throw;
        }
        forget(&one);
    }

    void forget(connection* one) {
        connections.erase(one);
        --open;
        accepting.notify_room();
        if (open == 0) {
            emptied.notify_all();
        }
    }
};

server::server(server_settings settings, std::vector<route> routes, const identity_verifier* verify,
               asio::io_context& loop, metrics::registry& metrics, const log::logger& logger)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(routes), verify, loop, metrics,
                                   logger)) {}

server::~server() = default;

result<void> server::start() {
    if (auto opened = impl_->accepting.open(impl_->shared.settings.listen); !opened) {
        return opened;
    }
    auto has_room = [this] {
        return impl_->open < impl_->shared.settings.connections_max;
    };
    auto on_connection = [this](asio::ip::tcp::socket socket) {
        ++impl_->open;
        impl_->tasks.spawn("connection", impl_->serve(std::move(socket)));
    };
    impl_->tasks.spawn("accept", impl_->accepting.run(has_room, on_connection));
    return {};
}

std::uint16_t server::port() const {
    return impl_->accepting.port();
}

void server::announce_drain() {
    impl_->shared.answers_close = true;
}

asio::awaitable<void> server::stop(std::chrono::milliseconds at_most) {
    announce_drain();
    impl_->shared.stopping = true;
    impl_->accepting.close();
    const std::vector<connection*> open(impl_->connections.begin(), impl_->connections.end());
    for (connection* each : open) {
        each->close_if_idle();
    }
    const auto until = std::chrono::steady_clock::now() + at_most;
    while (impl_->open > 0 && std::chrono::steady_clock::now() < until) {
        co_await impl_->emptied.wait_for(until - std::chrono::steady_clock::now());
    }
    for (connection* each : impl_->connections) {
        each->abort();
    }
    impl_->tasks.cancel();
    co_await impl_->tasks.join();
}

std::size_t server::active_requests() const {
    return impl_->shared.active;
}

} // namespace relais::http
