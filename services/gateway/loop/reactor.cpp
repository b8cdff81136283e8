#include "gateway/loop/reactor.hpp"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace relais::gateway {
namespace {

constexpr std::uint32_t watched = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

[[noreturn]] void refuse(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

reactor::reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    ready_.before = ready_.after = &ready_;
    if (epoll_ < 0) {
        refuse("epoll_create1");
    }
    bell_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    if (bell_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &event) != 0) {
        refuse("eventfd");
    }
}

reactor::~reactor() {
    ::close(bell_);
    ::close(epoll_);
}

void reactor::wake() {
    const std::uint64_t one = 1;
    // It can only fail because the bell rings already.
    [[maybe_unused]] const auto written = ::write(bell_, &one, sizeof one);
}

void reactor::run(std::chrono::milliseconds at_most) {
    // Those who are ready now; who becomes ready meanwhile is told the next time.
    link now;
    now.before = now.after = &now;
    if (has_ready()) {
        now.after = ready_.after;
        now.before = ready_.before;
        now.after->before = &now;
        now.before->after = &now;
        ready_.before = ready_.after = &ready_;
        at_most = std::chrono::milliseconds(0);
    }
    const int count =
        ::epoll_wait(epoll_, events_.data(), events_max, static_cast<int>(at_most.count()));
    woke_at_ = std::chrono::steady_clock::now();
    count_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    for (next_ = 0; next_ < count_;) {
        const auto event = events_[next_++];
        if (event.data.ptr != nullptr) {
            auto& which = *static_cast<watch*>(event.data.ptr);
            which.note(event.events);
            which.tell();
        } else if ((event.events & EPOLLIN) != 0) {
            std::uint64_t rings = 0;
            [[maybe_unused]] const auto read = ::read(bell_, &rings, sizeof rings);
        }
    }
    count_ = next_ = 0;
    while (now.after != &now) {
        auto& first = static_cast<watch&>(*now.after);
        first.unlink();
        first.tell();
    }
}

/// Events that were fetched for one that is gone.
void reactor::forget(const watch& which) {
    for (std::size_t i = next_; i < count_; ++i) {
        if (events_[i].data.ptr == &which) {
            events_[i].data.ptr = nullptr;
            events_[i].events = 0;
        }
    }
    if (telling_ == &which) {
        telling_ = nullptr;
    }
}

bool reactor::watch::begin(int descriptor) {
    return add(descriptor, watched);
}

bool reactor::watch::begin_shared(int descriptor) {
    shared_ = true;
    return add(descriptor, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
}

bool reactor::watch::add(int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    if (::epoll_ctl(whose_.epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        return false;
    }
    descriptor_ = descriptor;
    readable_ = writable_ = hung_up_ = false; // the first event says
    return true;
}

void reactor::watch::end() {
    unlink();
    wants_read_ = wants_write_ = anyway_ = false;
    if (descriptor_ >= 0) {
        if (shared_) {
            ::epoll_ctl(whose_.epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
        }
        descriptor_ = -1; // closing takes out of epoll what nobody else has
        whose_.forget(*this);
    }
}

void reactor::watch::want_read() {
    wants_read_ = true;
    if (readable_) {
        get_ready();
    }
}

void reactor::watch::want_read_anyway() {
    wants_read_ = anyway_ = true;
    get_ready();
}

void reactor::watch::want_write() {
    wants_write_ = true;
    if (writable_) {
        get_ready();
    }
}

void reactor::watch::note(std::uint32_t events) {
    hung_up_ = hung_up_ || (events & ends) != 0;
    readable_ = readable_ || (events & EPOLLIN) != 0 || hung_up_;
    writable_ = writable_ || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
}

void reactor::watch::tell() {
    auto& whose = whose_; // this may be gone after a call
    whose.telling_ = this;
    if (wants_write_ && writable_) {
        wants_write_ = false;
        on_writable_(owner_);
        if (whose.telling_ != this) {
            return;
        }
    }
    if (wants_read_ && (readable_ || anyway_)) {
        wants_read_ = anyway_ = false;
        on_readable_(owner_);
    }
    whose.telling_ = nullptr;
}

void reactor::watch::get_ready() {
    if (before != nullptr) {
        return;
    }
    auto& last = whose_.ready_;
    before = last.before;
    after = &last;
    last.before->after = this;
    last.before = this;
}

void reactor::watch::unlink() {
    if (before != nullptr) {
        before->after = after;
        after->before = before;
        before = after = nullptr;
    }
}

} // namespace relais::gateway
