#include "postgres/keeper.hpp"

#include <algorithm>
#include <pthread.h>
#include <sys/socket.h>

namespace relais::pg::detail {

namespace {

constexpr std::chrono::milliseconds tick_interval{100};
// Together with a tick they stay well under a second: so long may a request take to be refused.
constexpr std::chrono::milliseconds asks_after{150};
constexpr std::chrono::milliseconds waits_for_answer{400};

} // namespace

keeper::keeper(std::function<void()> tick, std::function<void()> silent)
    : tick_(std::move(tick)), silent_(std::move(silent)), watching_([this] { watch(); }),
      ticking_([this] { call_tick(); }) {}

keeper::~keeper() {
    stop();
}

void keeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (auto* each : {&watching_, &ticking_}) {
        if (each->joinable()) {
            each->join();
        }
    }
}

void keeper::watch() {
    pthread_setname_np(pthread_self(), "db-keeper");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        cut_overdue(std::chrono::steady_clock::now());
        look_for_silence(lock);
        changed_.wait_for(lock, tick_interval, [this] { return stopping_; });
    }
}

void keeper::call_tick() {
    pthread_setname_np(pthread_self(), "db-tick");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        tick_();
        lock.lock();
        changed_.wait_for(lock, tick_interval, [this] { return stopping_; });
    }
}

void keeper::cut(watched& entry, ending how) {
    if (entry.cut == ending::none) {
        // Not close(): the number must stay taken until libpq itself lets go of it.
        ::shutdown(entry.socket, SHUT_RDWR);
        entry.cut = how;
    }
}

void keeper::cut_overdue(time_point now) {
    for (auto& [ticket, entry] : watched_) {
        if (now >= entry.until) {
            cut(entry, ending::overdue);
        }
    }
}

/// The server of a statement that waits, unless it has shown a moment ago that it works.
std::optional<peer> keeper::who_keeps_us_waiting(time_point now) const {
    for (const auto& [ticket, entry] : watched_) {
        if (entry.cut == ending::none && now - std::max(entry.since, answered_at_) >= asks_after) {
            return peer_of(entry.socket);
        }
    }
    return std::nullopt;
}

/// A slow statement and a dead server look the same from the statement's connection.
void keeper::look_for_silence(std::unique_lock<std::mutex>& lock) {
    const auto asked = std::chrono::steady_clock::now();
    const auto server = who_keeps_us_waiting(asked);
    if (!server) {
        return;
    }
    lock.unlock();
    const bool works = answers(*server, waits_for_answer);
    if (!works) {
        silent_(); // first: whoever is cut must find the outage known
    }
    lock.lock();
    answered_at_ = std::chrono::steady_clock::now();
    for (auto& [ticket, entry] : watched_) {
        if (!works && entry.since <= asked) {
            cut(entry, ending::silence);
        }
    }
}

keeper::guard::guard(keeper* owner, int socket, time_point until) : owner_(owner) {
    if (owner_ != nullptr) {
        const std::lock_guard lock(owner_->mutex_);
        ticket_ = owner_->next_ticket_++;
        owner_->watched_.emplace(ticket_, watched{socket, std::chrono::steady_clock::now(), until});
    }
}

keeper::guard::~guard() {
    if (owner_ != nullptr) {
        const std::lock_guard lock(owner_->mutex_);
        owner_->watched_.erase(ticket_);
    }
}

bool keeper::guard::cut() const {
    return owner_ != nullptr && owner_->how_cut(ticket_) != ending::none;
}

bool keeper::guard::cut_by_silence() const {
    return owner_ != nullptr && owner_->how_cut(ticket_) == ending::silence;
}

keeper::ending keeper::how_cut(std::uint64_t ticket) const {
    const std::lock_guard lock(mutex_);
    return watched_.at(ticket).cut;
}

} // namespace relais::pg::detail
