#include "gateway/listeners/loop_acceptor.hpp"

#include "http/listening_socket.hpp"

#include <cerrno>
#include <chrono>
#include <unistd.h>

namespace relais::gateway {
namespace {

constexpr int at_a_time = 16; // then others on this loop have their turn
// Out of descriptors or memory: trying again at once would spin.
constexpr std::chrono::milliseconds pause_after_error{50};

} // namespace

loop_acceptor::loop_acceptor(edge_loop& loop, owner& whose, std::size_t listener, int descriptor)
    : owner_(whose), listener_(listener), descriptor_(descriptor),
      watch_(loop.sockets(), *this,
             reactor::calls<&loop_acceptor::on_readable, &loop_acceptor::on_writable>{}),
      pause_(loop.timers(), *this, timer_wheel::calls<&loop_acceptor::on_pause_over>{}) {
    if (watch_.begin_shared(descriptor_)) {
        watch_.want_read();
    } else {
        owner_.on_accept_failed(errno);
    }
}

loop_acceptor::~loop_acceptor() {
    watch_.end();
    ::close(descriptor_);
}

void loop_acceptor::on_readable() {
    for (int i = 0; i < at_a_time; ++i) {
        if (!owner_.take_room()) {
            return; // on_room() goes on
        }
        const auto came = accept_one();
        if (came == outcome::failed) {
            pause_.set_after(pause_after_error);
            return;
        }
        if (came == outcome::none_waits) {
            watch_.note_drained();
            break;
        }
    }
    watch_.want_read();
}

/// With room that was taken for it, which goes back when there is none.
loop_acceptor::outcome loop_acceptor::accept_one() {
    boost::asio::ip::tcp::endpoint peer;
    const int descriptor = http::accept_from(descriptor_, peer);
    if (descriptor >= 0) {
        owner_.on_accepted(listener_, descriptor, peer);
        return outcome::taken;
    }
    const int error = errno;
    owner_.give_room_back();
    if (error == EAGAIN || error == EWOULDBLOCK) {
        return outcome::none_waits;
    }
    owner_.on_accept_failed(error);
    return outcome::failed;
}

void loop_acceptor::on_room() {
    if (!pause_.is_set()) {
        watch_.want_read();
    }
}

void loop_acceptor::on_pause_over() {
    watch_.want_read();
}

} // namespace relais::gateway
