#include "clock/clock.hpp"
#include "gateway/listeners/client_count.hpp"
#include "gateway/listeners/listener_set.hpp"
#include "gateway/listeners/loop_acceptor.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <map>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace relais;
using namespace relais::gateway;
using boost::asio::ip::tcp;

namespace {

config::endpoint at_port(std::uint16_t port) {
    return {"127.0.0.1", port};
}

/// A client that connects and says nothing.
class caller {
public:
    explicit caller(const tcp::endpoint& where)
        : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (::connect(descriptor_, where.data(), static_cast<socklen_t>(where.size())) != 0) {
            ::close(descriptor_);
            throw std::runtime_error("not connected");
        }
    }

    ~caller() {
        ::close(descriptor_);
    }

    caller(const caller&) = delete;
    caller& operator=(const caller&) = delete;

private:
    int descriptor_;
};

tcp::endpoint name_of(int descriptor) {
    tcp::endpoint name;
    auto size = static_cast<socklen_t>(name.capacity());
    REQUIRE(::getsockname(descriptor, name.data(), &size) == 0);
    name.resize(size);
    return name;
}

/// A loop that accepts from a socket, turn by turn.
struct accepting : loop_acceptor::owner {
    explicit accepting(const http::listening_socket& socket, std::size_t room = 100)
        : count(room, [] {}),
          acceptor(std::make_unique<loop_acceptor>(
              loop, *this, 7, ::fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0))) {}

    virtual ~accepting() {
        for (const int each : accepted) {
            ::close(each);
        }
    }

    accepting(const accepting&) = delete;
    accepting& operator=(const accepting&) = delete;

    bool take_room() override {
        return count.take();
    }

    void give_room_back() override {
        count.give_back();
    }

    void on_accepted(std::size_t listener, int descriptor, const tcp::endpoint& peer) override {
        CHECK(listener == 7);
        CHECK(peer.address().is_loopback());
        CHECK((::fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0);
        accepted.push_back(descriptor);
    }

    void on_accept_failed(int error) override {
        failures.push_back(error);
    }

    void turns(int many = 4) {
        for (int i = 0; i < many; ++i) {
            loop.turn_once();
        }
    }

    system_clock time;
    edge_loop loop{time};
    client_count count;
    std::vector<int> accepted;
    std::vector<int> failures;
    std::unique_ptr<loop_acceptor> acceptor;
};

http::listening_socket& opened(http::listening_socket& socket) {
    REQUIRE(socket.open(at_port(0)));
    return socket;
}

} // namespace

TEST_CASE("connections are accepted as they come, and wait while there is no room", "[gateway]") {
    http::listening_socket socket;
    accepting with(opened(socket), 2);
    with.turns();
    CHECK(with.accepted.empty());
    const std::array<caller, 3> callers{caller(socket.local()), caller(socket.local()),
                                        caller(socket.local())};
    with.turns();
    CHECK(with.accepted.size() == 2);
    CHECK(with.count.open() == 2);
    with.count.give_back();
    with.turns();
    CHECK(with.accepted.size() == 2); // nobody has said so
    with.acceptor->on_room();
    with.turns();
    CHECK(with.accepted.size() == 3);
    CHECK(with.count.open() == 2);
    CHECK(with.failures.empty());
}

TEST_CASE("after stop_new who is connected can be accepted, who comes later finds it closed",
          "[gateway]") {
    http::listening_socket socket;
    const auto where = opened(socket).local();
    const caller before(where);
    socket.stop_new();

    const int later = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(::connect(later, where.data(), static_cast<socklen_t>(where.size())) == -1);
    CHECK(errno == EINPROGRESS);
    pollfd connected{.fd = later, .events = POLLOUT, .revents = 0};
    CHECK(::poll(&connected, 1, 50) == 0); // not answered, and not refused

    tcp::endpoint peer;
    const int accepted = http::accept_from(socket.descriptor(), peer);
    CHECK(accepted >= 0);
    CHECK(http::accept_from(socket.descriptor(), peer) == -1);
    socket.close();

    CHECK(::poll(&connected, 1, 10'000) == 1); // it asked again
    int why = 0;
    socklen_t size = sizeof why;
    REQUIRE(::getsockopt(later, SOL_SOCKET, SO_ERROR, &why, &size) == 0);
    CHECK(why == ECONNREFUSED);
    ::close(later);
    ::close(accepted);
}

TEST_CASE("room that is given back where there was none is told", "[gateway]") {
    int told = 0;
    client_count count(2, [&] { ++told; });
    CHECK(count.take());
    CHECK(count.take());
    CHECK_FALSE(count.take());
    CHECK(count.take(true));
    CHECK(count.open() == 3);
    count.give_back();
    count.give_back();
    CHECK(told == 2);
    count.give_back();
    CHECK(told == 2);
    CHECK(count.open() == 0);
}

TEST_CASE("more connections than one turn takes are all accepted", "[gateway]") {
    http::listening_socket socket;
    accepting with(opened(socket));
    std::vector<std::unique_ptr<caller>> callers;
    for (int i = 0; i < 40; ++i) {
        callers.push_back(std::make_unique<caller>(socket.local()));
    }
    with.turns(1);
    CHECK(with.accepted.size() < 40);
    with.turns();
    CHECK(with.accepted.size() == 40);
}

TEST_CASE("loops accept from one socket", "[gateway]") {
    http::listening_socket socket;
    accepting one(opened(socket));
    accepting other(socket);
    const caller first(socket.local());
    one.turns();
    other.turns();
    CHECK(one.accepted.size() + other.accepted.size() == 1);
    one.acceptor.reset();
    const caller second(socket.local());
    other.turns();
    CHECK(one.accepted.size() + other.accepted.size() == 2);
}

TEST_CASE("without descriptors accepting pauses, and goes on", "[gateway]") {
    http::listening_socket socket;
    accepting with(opened(socket));
    const caller first(socket.local());
    with.turns(); // the sanitizer needs descriptors, too, when it sees a type for the first time
    REQUIRE(with.accepted.size() == 1);
    const caller waits(socket.local());
    rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
    const rlimit none{3, usual.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    with.turns(10);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
    CHECK(with.accepted.size() == 1);
    CHECK(with.failures == std::vector{EMFILE}); // once, not in each turn
    CHECK(with.count.open() == 1);
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (with.accepted.size() == 1 && std::chrono::steady_clock::now() < give_up) {
        with.loop.turn_once();
    }
    CHECK(with.accepted.size() == 2);
}

TEST_CASE("a listener whose port is taken is opened when it is free, and closed when all let go",
          "[gateway]") {
    http::listening_socket taken;
    opened(taken);
    http::socket_shelf shelf;
    system_clock time;
    metrics::registry metrics;
    std::map<std::size_t, int> open;
    std::vector<std::function<void()>> closing;
    std::vector<int> accepted;
    listener_set set(
        {},
        {time, metrics, log::logger(), shelf,
         [&](std::size_t listener, int descriptor) { open[listener] = descriptor; },
         [&](std::size_t, std::function<void()> done) { closing.push_back(std::move(done)); },
         [&](std::size_t, int descriptor, const tcp::endpoint&) { accepted.push_back(descriptor); },
         [](std::size_t, const auto&, const tls_server*) {
         }});
    auto free = std::make_shared<listener_settings>();
    free->name = "free";
    free->address = at_port(0);
    auto busy = std::make_shared<listener_settings>();
    busy->name = "busy";
    busy->address = at_port(taken.local().port());
    for (int i = 0; i < 2; ++i) {
        const auto failed = set.start({free, busy});
        REQUIRE_FALSE(failed);
        CHECK(failed.error().slug == "listen-failed");
        CHECK(open.empty()); // all of them, or none
    }
    taken.close();
    CHECK(set.start({free, busy}));
    CHECK(open.size() == 2);
    set.use({busy});
    set.close();
    REQUIRE(closing.size() == 2);
    CHECK(shelf.open().size() == 2); // loops may still accept from them

    // Who has come by then is served, whoever comes later is not.
    const tcp::endpoint there = name_of(open.at(0));
    const std::array<caller, 2> callers{caller(there), caller(there)};
    for (const auto& each : closing) {
        each();
    }
    CHECK(accepted.size() == 2);
    CHECK(shelf.open().empty());
    CHECK_THROWS(caller(there));
    for (const int each : accepted) {
        ::close(each);
    }
}
