#pragma once

#include <algorithm>
#include <cstddef>

namespace relais::inbox {

/// Some events next to each other, counted from where the batch begins.
struct stretch {
    std::size_t first = 0;
    std::size_t count = 1;
};

/// Cuts what was fetched into transactions: everything at once, until something in it fails; then
/// what stood before the failing handler's events, then those in ever smaller pieces until the
/// event that fails stands alone, then the rest. Free of IO.
class cutter {
public:
    explicit cutter(std::size_t size) : rest_(size) {}

    bool finished() const {
        return before_ + suspects_ + rest_ == 0;
    }

    /// How many of the next events to try in one transaction.
    std::size_t next() const {
        if (before_ > 0) {
            return before_;
        }
        return suspects_ > 0 ? std::min(piece_, suspects_) : rest_;
    }

    /// The piece that next() gave is done with.
    void done() {
        auto count = next();
        if (before_ > 0) {
            before_ = 0;
        } else if (suspects_ > 0) {
            suspects_ -= count;
            piece_ *= 2;
        } else {
            rest_ = 0;
        }
    }

    /// The piece that next() gave failed, because of something in these events of it.
    void failed(stretch where) {
        rest_ += before_ + suspects_ - where.first - where.count;
        before_ = where.first;
        suspects_ = where.count;
        piece_ = std::max<std::size_t>(where.count / 2, 1);
    }

private:
    std::size_t before_ = 0;   ///< believed to be well
    std::size_t suspects_ = 0; ///< one of these fails, or more
    std::size_t rest_;
    std::size_t piece_ = 1;
};

} // namespace relais::inbox
