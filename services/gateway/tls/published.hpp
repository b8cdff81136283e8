#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace relais::gateway {

/// An immutable value that the control thread replaces and every loop reads. A loop reads through a
/// view of its own, which costs one load of a number that hardly ever changes; only after a change
/// does it take the lock, for the copy of one pointer. (std::atomic<std::shared_ptr> is no way
/// around that: it is a spin lock and a shared reference count at every read.)
template <class Value>
class published {
public:
    /// One reader, on one thread. The value it shows stays until the next look.
    class view {
    public:
        /// The source outlives the view.
        explicit view(const published& source) : source_(&source) {}

        /// The value of now; nullptr before the first publish(). `changed` tells whether it is
        /// another one than at the look before.
        const Value* look(bool* changed = nullptr) {
            const auto version = source_->version_.load(std::memory_order_acquire);
            const bool is_new = version != version_;
            if (is_new) {
                value_ = source_->current();
                version_ = version;
            }
            if (changed != nullptr) {
                *changed = is_new;
            }
            return value_.get();
        }

    private:
        const published* source_;
        std::uint64_t version_ = 0;
        /// Shared with the source and the other views: whoever looks last lets an old value go.
        std::shared_ptr<const Value> value_;
    };

    published() = default;

    explicit published(std::shared_ptr<const Value> first) {
        publish(std::move(first));
    }

    /// From any thread. Views see it at their next look.
    void publish(std::shared_ptr<const Value> next) {
        {
            const std::lock_guard guard(mutex_);
            value_.swap(next);
        }
        version_.fetch_add(1, std::memory_order_release);
    }

    /// A copy of the pointer, from any thread; not for the request path.
    std::shared_ptr<const Value> current() const {
        const std::lock_guard guard(mutex_);
        return value_;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Value> value_; ///< shared with the views, see there
    std::atomic<std::uint64_t> version_{0};
};

} // namespace relais::gateway
