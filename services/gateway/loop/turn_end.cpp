#include "gateway/loop/turn_end.hpp"

namespace relais::gateway {

turn_end::turn_end() {
    waiting_.before = waiting_.after = &waiting_;
}

void turn_end::entry::unlink() {
    if (before != nullptr) {
        before->after = after;
        after->before = before;
        before = after = nullptr;
    }
}

void turn_end::entry::set() {
    if (before != nullptr) {
        return;
    }
    auto& last = whose_.waiting_;
    before = last.before;
    after = &last;
    last.before->after = this;
    last.before = this;
}

void turn_end::run() {
    if (!has_work()) {
        return;
    }
    link now; // what is set from here on is of the next turn
    now.after = waiting_.after;
    now.before = waiting_.before;
    now.after->before = &now;
    now.before->after = &now;
    waiting_.before = waiting_.after = &waiting_;
    while (now.after != &now) {
        auto& first = static_cast<entry&>(*now.after);
        first.unlink();
        first.work_(first.owner_);
    }
}

} // namespace relais::gateway
