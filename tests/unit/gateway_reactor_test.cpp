#include "gateway/loop/reactor.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

using relais::gateway::reactor;
using namespace std::chrono_literals;

namespace {

constexpr auto now = 0ms;

/// One end of a pair of sockets that is watched; the test has the other.
class watched {
public:
    explicit watched(reactor& whose)
        : watch_(whose, *this, reactor::calls<&watched::on_readable, &watched::on_writable>{}) {
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
        ours_ = pair[0];
        theirs = pair[1];
        REQUIRE(watch_.begin(ours_));
    }

    ~watched() {
        watch_.end();
        ::close(ours_);
        close_theirs();
    }

    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;

    void close_theirs() {
        ::close(std::exchange(theirs, -1));
    }

    void send(const std::string& text) const {
        REQUIRE(::write(theirs, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }

    reactor::watch& watch() {
        return watch_;
    }

    int theirs = -1;
    std::string got;
    int reads = 0;
    int ends = 0;
    int rooms = 0;
    std::size_t room = 100;
    std::function<void()> then;

    void fill() {
        const std::string much(65'536, 'x');
        while (::write(ours_, much.data(), much.size()) > 0) {}
        watch_.note_full();
    }

private:
    void on_readable() {
        ++reads;
        std::string text(room, '\0');
        const auto count = ::read(ours_, text.data(), text.size());
        if (count <= 0) {
            ends += count == 0 ? 1 : 0;
            watch_.note_drained();
        } else {
            got += text.substr(0, static_cast<std::size_t>(count));
            if (static_cast<std::size_t>(count) < room) {
                watch_.note_drained();
            }
        }
        const auto next = then; // it may destroy this
        if (next) {
            next();
        }
    }

    void on_writable() {
        ++rooms;
        const auto next = then; // it may destroy this
        if (next) {
            next();
        }
    }

    int ours_ = -1;
    reactor::watch watch_;
};

} // namespace

TEST_CASE("who wants to read is told once when there is something", "[gateway]") {
    reactor loop;
    watched one(loop);
    one.watch().want_read();
    loop.run(now);
    CHECK(one.reads == 0);
    one.send("abc");
    loop.run(now);
    CHECK(one.got == "abc");
    one.send("def");
    loop.run(now);
    CHECK(one.reads == 1); // it did not ask again
    one.watch().want_read();
    CHECK(one.reads == 1); // never within the call
    loop.run(now);
    CHECK(one.got == "abcdef");
}

TEST_CASE("what is left is told without another event", "[gateway]") {
    reactor loop;
    watched one(loop);
    one.room = 2;
    one.then = [&] {
        one.watch().want_read();
    };
    one.send("abcdefg");
    one.watch().want_read();
    for (int i = 0; i < 3; ++i) {
        loop.run(now);
    }
    CHECK(one.got == "abcdef"); // two bytes a turn
    CHECK(loop.has_ready());
    loop.run(now);
    CHECK(one.got == "abcdefg");
    CHECK_FALSE(loop.has_ready()); // a read that found less than its room: nothing to do
    one.send("h");
    loop.run(now);
    CHECK(one.got == "abcdefgh");
}

TEST_CASE("the end that came with the last bytes is told", "[gateway]") {
    reactor loop;
    watched one(loop);
    one.then = [&] {
        one.watch().want_read();
    };
    one.send("abc");
    one.close_theirs();
    one.watch().want_read();
    loop.run(now);
    CHECK(one.got == "abc");
    loop.run(now);
    CHECK(one.ends == 1);
}

TEST_CASE("an end that comes later is told", "[gateway]") {
    reactor loop;
    watched one(loop);
    one.then = [&] {
        one.watch().want_read();
    };
    one.send("abc");
    one.watch().want_read();
    loop.run(now);
    loop.run(now);
    CHECK(one.reads == 1);
    one.close_theirs();
    loop.run(now);
    CHECK(one.ends == 1);
}

TEST_CASE("who asks anyway is told without anything to read", "[gateway]") {
    reactor loop;
    watched one(loop);
    one.watch().want_read_anyway();
    CHECK(loop.has_ready());
    loop.run(-1ms);
    CHECK(one.reads == 1);
    CHECK(one.got.empty());
    one.watch().want_read();
    loop.run(now);
    CHECK(one.reads == 1);
}

TEST_CASE("who wants to write is told when there is room", "[gateway]") {
    reactor loop;
    watched one(loop);
    loop.run(now);
    one.watch().want_write();
    loop.run(now);
    CHECK(one.rooms == 1);
    one.fill();
    one.watch().want_write();
    loop.run(now);
    CHECK(one.rooms == 1);
    std::string much(10'000'000, '\0');
    CHECK(::read(one.theirs, much.data(), much.size()) > 0);
    loop.run(now);
    CHECK(one.rooms == 2);
}

TEST_CASE("nobody is told who does not want it any more", "[gateway]") {
    reactor loop;
    watched one(loop);
    one.watch().want_read();
    one.send("abc");
    one.watch().end();
    loop.run(now);
    CHECK(one.reads == 0);
}

TEST_CASE("whoever is called may destroy everybody", "[gateway]") {
    reactor loop;
    auto one = std::make_unique<watched>(loop);
    auto other = std::make_unique<watched>(loop);
    const auto destroy = [&] {
        one.reset();
        other.reset();
    };
    for (auto* each : {one.get(), other.get()}) {
        each->send("abc");
        each->watch().want_read();
        each->watch().want_write();
        each->then = destroy;
    }
    SECTION("by an event") {
        loop.run(now);
    }
    SECTION("without one") {
        one->then = other->then = nullptr;
        loop.run(now);
        one->then = other->then = destroy;
        one->watch().want_write();
        other->watch().want_write();
        loop.run(now);
    }
    CHECK(one == nullptr);
    loop.run(now);
}

TEST_CASE("another thread ends the wait", "[gateway]") {
    reactor loop;
    std::thread other([&] { loop.wake(); });
    loop.run(-1ms);
    other.join();
    loop.run(now);
    loop.wake();
    loop.wake();
    loop.run(-1ms);
    CHECK_FALSE(loop.has_ready());
}
