#pragma once

#include "async/signal.hpp"

namespace relais::outbox {

/// One query's time on a connection; whoever waits for `over` may look again.
class turn {
public:
    turn(bool& taken, async::signal& over) : taken_(taken), over_(over) {
        taken_ = true;
    }

    ~turn() {
        taken_ = false;
        over_.notify_all();
    }

    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

private:
    bool& taken_;
    async::signal& over_;
};

} // namespace relais::outbox
