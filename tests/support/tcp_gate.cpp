#include "support/tcp_gate.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <future>
#include <list>
#include <thread>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::test {
namespace {

/// One direction of one connection.
struct pipe {
    tcp::socket& from;
    tcp::socket& to;
    std::array<char, 16'384> buffer{};
};

struct connection {
    tcp::socket client;
    tcp::socket server;
    pipe up{client, server};
    pipe down{server, client};

    connection(tcp::socket accepted, asio::io_context& loop)
        : client(std::move(accepted)), server(loop) {}

    void reset() {
        boost::system::error_code ignored;
        client.set_option(asio::socket_base::linger(true, 0), ignored);
        client.close(ignored);
        server.close(ignored);
    }
};

} // namespace

struct tcp_gate::impl {
    asio::io_context loop{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
    tcp::endpoint target;
    tcp::endpoint local{asio::ip::address_v4::loopback(), 0};
    std::optional<tcp::acceptor> acceptor;
    std::list<std::shared_ptr<connection>> connections; // shared with their handlers
    bool frozen = false;
    std::vector<std::function<void()>> held; ///< what goes on after thaw()
    std::thread thread;

    /// Runs on the gate's thread and waits for it.
    void call(const std::function<void()>& what) {
        std::promise<void> done;
        asio::post(loop, [&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    }

    void listen() {
        acceptor.emplace(loop);
        acceptor->open(local.protocol());
        acceptor->set_option(asio::socket_base::reuse_address(true));
        acceptor->bind(local);
        acceptor->listen();
        local = acceptor->local_endpoint();
        accept();
    }

    void accept() {
        acceptor->async_accept([this](boost::system::error_code failed, tcp::socket client) {
            if (failed) {
                return;
            }
            auto made = std::make_shared<connection>(std::move(client), loop);
            connections.push_back(made);
            made->server.async_connect(target, [this, made](boost::system::error_code refused) {
                if (refused) {
                    made->reset();
                } else {
                    forward(made, made->up);
                    forward(made, made->down);
                }
            });
            accept();
        });
    }

    void forward(const std::shared_ptr<connection>& of, pipe& way) {
        way.from.async_read_some(
            asio::buffer(way.buffer),
            [this, of, &way](boost::system::error_code failed, std::size_t size) {
                if (failed) {
                    of->reset();
                } else if (frozen) {
                    held.push_back([this, of, &way, size] { pass(of, way, size); });
                } else {
                    pass(of, way, size);
                }
            });
    }

    void pass(const std::shared_ptr<connection>& of, pipe& way, std::size_t size) {
        asio::async_write(way.to, asio::buffer(way.buffer, size),
                          [this, of, &way](boost::system::error_code failed, std::size_t) {
                              if (failed) {
                                  of->reset();
                              } else {
                                  forward(of, way);
                              }
                          });
    }

    void cut() {
        acceptor.reset();
        held.clear();
        for (const auto& each : connections) {
            each->reset();
        }
        connections.clear();
    }
};

tcp_gate::tcp_gate(const config::endpoint& server) : impl_(std::make_unique<impl>()) {
    impl_->target = tcp::endpoint(asio::ip::make_address(server.host), server.port);
    impl_->listen();
    impl_->thread = std::thread([this] { impl_->loop.run(); });
}

tcp_gate::~tcp_gate() {
    impl_->call([this] { impl_->cut(); });
    impl_->work.reset();
    impl_->thread.join();
}

std::uint16_t tcp_gate::port() const {
    return impl_->local.port();
}

void tcp_gate::close() {
    impl_->call([this] { impl_->cut(); });
}

void tcp_gate::open() {
    impl_->call([this] { impl_->listen(); });
}

void tcp_gate::freeze() {
    impl_->call([this] { impl_->frozen = true; });
}

void tcp_gate::thaw() {
    impl_->call([this] {
        impl_->frozen = false;
        for (const auto& go_on : std::exchange(impl_->held, {})) {
            go_on();
        }
    });
}

} // namespace relais::test
