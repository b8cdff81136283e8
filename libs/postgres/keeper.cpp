#include "postgres/keeper.hpp"

#include <pthread.h>
#include <sys/socket.h>

namespace relais::pg::detail {

namespace {
constexpr std::chrono::milliseconds tick_interval{250};
}

keeper::keeper(std::function<void()> tick) : tick_(std::move(tick)), thread_([this] { run(); }) {}

keeper::~keeper() {
    stop();
}

void keeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void keeper::run() {
    pthread_setname_np(pthread_self(), "db-keeper");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        cut_overdue(std::chrono::steady_clock::now());
        lock.unlock();
        tick_();
        lock.lock();
        changed_.wait_for(lock, tick_interval, [this] { return stopping_; });
    }
}

void keeper::cut_overdue(time_point now) {
    for (auto& [ticket, entry] : watched_) {
        if (!entry.cut && now >= entry.until) {
            // Not close(): the number must stay taken until libpq itself lets go of it.
            ::shutdown(entry.socket, SHUT_RDWR);
            entry.cut = true;
        }
    }
}

keeper::guard::guard(keeper* owner, int socket, time_point until) : owner_(owner) {
    if (owner_ != nullptr) {
        const std::lock_guard lock(owner_->mutex_);
        ticket_ = owner_->next_ticket_++;
        owner_->watched_.emplace(ticket_, watched{socket, until});
    }
}

keeper::guard::~guard() {
    if (owner_ != nullptr) {
        const std::lock_guard lock(owner_->mutex_);
        owner_->watched_.erase(ticket_);
    }
}

bool keeper::guard::cut() const {
    if (owner_ == nullptr) {
        return false;
    }
    const std::lock_guard lock(owner_->mutex_);
    return owner_->watched_.at(ticket_).cut;
}

} // namespace relais::pg::detail
