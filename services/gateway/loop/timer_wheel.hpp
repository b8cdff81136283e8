#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relais::gateway {

/// The deadlines of everything on one event loop in ticks of 10 ms. Setting
/// one is a store: an entry whose deadline moved further away is put right when its old slot comes,
/// not when it is set (Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme 6). A
/// passed deadline is noticed at most two ticks late. Used on the loop's thread; outlives its
/// entries.
class timer_wheel {
    struct link {
        link* before = nullptr;
        link* after = nullptr;
    };

public:
    using clock = std::chrono::steady_clock;

    timer_wheel();
    ~timer_wheel();
    timer_wheel(const timer_wheel&) = delete;
    timer_wheel& operator=(const timer_wheel&) = delete;

    /// How long until run_due() has something to do, rounded up; negative: for ever.
    std::chrono::milliseconds until_next() const;
    /// Calls those whose deadline passed.
    void run_due();

    /// Names the member function an entry calls: calls<&connection::on_timeout>{}.
    template <auto Method>
    struct calls {};

    /// One deadline. When it passes the entry is cleared, then the owner is called, once; it may do
    /// anything, also destroy entries.
    class entry : link {
    public:
        template <class Owner, auto Method>
        entry(timer_wheel& wheel, Owner& owner, calls<Method>)
            : wheel_(wheel), owner_(&owner),
              on_expiry_([](void* whose) { (static_cast<Owner*>(whose)->*Method)(); }) {}

        ~entry() {
            unlink();
        }

        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;

        void set(clock::time_point when);

        void set_after(clock::duration duration) {
            set(clock::now() + duration);
        }

        void clear() {
            due_ = never;
        }

        bool is_set() const {
            return due_ != never;
        }

    private:
        friend class timer_wheel;
        void unlink();

        timer_wheel& wheel_;
        void* owner_;
        void (*on_expiry_)(void*);
        std::uint64_t due_ = never; ///< the tick at which it is over
        std::uint64_t slot_tick_ = 0;
    };

private:
    static constexpr std::chrono::milliseconds tick{10};
    static constexpr std::size_t slots_count = 1024;
    static constexpr std::uint64_t never = UINT64_MAX;

    static std::uint64_t tick_of(clock::time_point when);
    void put(entry& which);
    void run_slot(std::size_t slot);
    std::uint64_t next_occupied() const;

    std::array<link, slots_count> slots_;
    std::uint64_t done_ = 0;     ///< all ticks up to this one were run
    std::uint64_t next_ = never; ///< the first of the occupied slots, or one before it
};

} // namespace relais::gateway
