#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <sys/epoll.h>

namespace relais::gateway {

/// Tells sockets' owners when there is something to read or room to write, by epoll. Each socket is
/// registered once, edge-triggered, so that waiting costs no system call: what is known to be ready
/// is remembered, and a read that brought less than there was room for says that there is no more.
/// Everything but wake() on one thread.
class reactor {
    struct link {
        link* before = nullptr;
        link* after = nullptr;
    };

public:
    reactor();
    ~reactor();
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;

    /// Waits for at most so long (negative: for ever), and tells whoever can go on, each once.
    void run(std::chrono::milliseconds at_most);

    /// Whether run() has somebody to tell without waiting.
    bool has_ready() const {
        return ready_.after != &ready_;
    }

    /// When the last run() had waited.
    std::chrono::steady_clock::time_point woke_at() const {
        return woke_at_;
    }

    /// From any thread: a run() that waits returns.
    void wake();

    /// Names the member functions a watch calls: calls<&channel::on_readable, …>{}.
    template <auto Readable, auto Writable>
    struct calls {};

    /// One socket. Its owner may do anything when it is called, also destroy watches.
    class watch : link {
    public:
        template <class Owner, auto Readable, auto Writable>
        watch(reactor& whose, Owner& owner, calls<Readable, Writable>)
            : whose_(whose), owner_(&owner),
              on_readable_([](void* which) { (static_cast<Owner*>(which)->*Readable)(); }),
              on_writable_([](void* which) { (static_cast<Owner*>(which)->*Writable)(); }) {}

        ~watch() {
            end();
        }

        watch(const watch&) = delete;
        watch& operator=(const watch&) = delete;

        /// Watches this descriptor, from which nothing was read yet. False: the system does not
        /// want to.
        bool begin(int descriptor);
        /// The same for a listening socket that several reactors watch: a connection that comes
        /// wakes one of those that sleep.
        bool begin_shared(int descriptor);
        /// Before the descriptor is closed: nobody is called any more.
        void end();

        /// Call me once when there may be something to read (or the end, or an error), from run(),
        /// never within this call.
        void want_read();
        /// The same, when there may be room to write.
        void want_write();

        /// The same, whether or not there is something.
        void want_read_anyway();

        bool wants_read() const {
            return wants_read_;
        }

        bool wants_write() const {
            return wants_write_;
        }

        /// A read found less than it had room for: the next want_read() waits for more.
        void note_drained() {
            readable_ = hung_up_; // the end is still to be read
        }

        /// A write found no room.
        void note_full() {
            writable_ = false;
        }

    private:
        friend class reactor;
        bool add(int descriptor, std::uint32_t events);
        void note(std::uint32_t events);
        void tell();
        void get_ready();
        void unlink();

        reactor& whose_;
        void* owner_;
        void (*on_readable_)(void*);
        void (*on_writable_)(void*);
        int descriptor_ = -1;
        bool readable_ = false;
        bool writable_ = false;
        bool shared_ = false;
        bool hung_up_ = false; ///< the other side is done, or there is an error
        bool anyway_ = false;
        bool wants_read_ = false;
        bool wants_write_ = false;
    };

private:
    void forget(const watch& which);

    static constexpr std::size_t events_max = 256;

    int epoll_ = -1;
    int bell_ = -1; ///< an eventfd
    std::array<epoll_event, events_max> events_{};
    std::size_t next_ = 0; ///< of the events, while they are handed out
    std::size_t count_ = 0;
    const watch* telling_ = nullptr;
    std::chrono::steady_clock::time_point woke_at_ = std::chrono::steady_clock::now();
    link ready_; ///< who can go on without waiting
};

} // namespace relais::gateway
