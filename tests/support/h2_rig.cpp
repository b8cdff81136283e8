#include "support/h2_rig.hpp"

#include "gateway/client/h2_client.hpp"
#include "support/h2_stub_exchange.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

using namespace relais::gateway;

namespace relais::test::h2 {

rig::rig(client_limits limits)
    : limits_(limits), loop_(std::make_unique<edge_loop>(time_)),
      pool_(std::make_unique<h2_pool>(*loop_, metrics_)) {
    loop_->start();
}

rig::~rig() {
    loop_->stop();
    client_.reset();
    exchanges_.clear();
    loop_->turn_once();
    pool_.reset();
}

template <class Work>
void rig::on_loop(Work work) {
    std::promise<void> done;
    loop_->post([&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

int rig::make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::runtime_error("no pair of sockets");
    }
    ours_ = ends[0];
    return ends[1];
}

int rig::open() {
    const int theirs = make_pair();
    on_loop([this] {
        client_ = std::make_unique<h2_client>(*loop_, *this, *pool_, ours_,
                                              client_info{{}, "client", false});
        client_->start();
    });
    return theirs;
}

namespace {

/// Someone who only opens connections.
struct opener final : channel::user {
    void on_bytes(std::size_t) override {}

    void on_end(bool) override {}

    void on_room() override {}

    void on_connected(const boost::system::error_code&) override {}
};

} // namespace

int rig::open_with(std::string received) {
    const int theirs = make_pair();
    on_loop([this, &received] {
        opener first;
        channel open(*loop_, ours_, first);
        auto made = std::make_unique<h2_client>(*loop_, *this, *pool_, std::move(open),
                                                client_info{{}, "client", false});
        auto& client = *made;
        client_ = std::move(made);
        client.start_with(received);
    });
    return theirs;
}

int rig::open_refused(const error& why) {
    const int theirs = make_pair();
    on_loop([this, &why] {
        client_ = std::make_unique<h2_client>(*loop_, *this, *pool_, ours_,
                                              client_info{{}, "client", false});
        client_->start_refused(why);
    });
    return theirs;
}

void rig::announce_drain() {
    on_loop([this] { client_->announce_drain(); });
}

void rig::close_idle() {
    on_loop([this] { client_->close_idle(); });
}

void rig::release() {
    on_loop([this] {
        for (const auto& each : exchanges_) {
            each->release();
        }
    });
}

double rig::events(h2_event what) const {
    // The registry gives the same series to whoever asks.
    auto& metrics = const_cast<metrics::registry&>(metrics_);
    return metrics
        .counter("gateway_http2_events_total",
                 "What HTTP/2 clients did that ended a stream or connection",
                 {{"event", std::string(name_of(what))}})
        .value();
}

bool rig::eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        ::poll(nullptr, 0, 2);
    }
    return true;
}

void rig::note(std::string slug) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(slug));
}

std::vector<std::string> rig::told() const {
    const std::lock_guard lock(mutex_);
    return told_;
}

request_user& rig::new_exchange(client_side& client) {
    exchanges_.push_back(std::make_unique<stub_exchange>(*this, client));
    return *exchanges_.back();
}

void rig::on_closed(client_connection& /*which*/) {
    ++closed;
    loop_->bury(std::move(client_));
}

} // namespace relais::test::h2
