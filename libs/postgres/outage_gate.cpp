#include "postgres/outage_gate.hpp"

namespace relais::pg {

bool outage_gate::may_try(time_point now) {
    const std::lock_guard lock(mutex_);
    if (!failing_) {
        return true;
    }
    if (probing_ || now < next_try_) {
        return false;
    }
    probing_ = true;
    return true;
}

bool outage_gate::succeeded() {
    const std::lock_guard lock(mutex_);
    const bool changed = !reachable_;
    reachable_ = true;
    failing_ = false;
    probing_ = false;
    return changed;
}

bool outage_gate::failed(time_point now) {
    const std::lock_guard lock(mutex_);
    const bool changed = !failing_;
    reachable_ = false;
    failing_ = true;
    probing_ = false;
    next_try_ = now + pause_;
    return changed;
}

bool outage_gate::reachable() const {
    const std::lock_guard lock(mutex_);
    return reachable_;
}

bool outage_gate::failing() const {
    const std::lock_guard lock(mutex_);
    return failing_;
}

} // namespace relais::pg
