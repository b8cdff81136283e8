#pragma once

namespace relais::gateway {

/// What can wait until the events that are ready now were all served: one system call then does
/// for several of them. Used on the loop's thread; outlives its entries.
class turn_end {
    struct link {
        link* before = nullptr;
        link* after = nullptr;
    };

public:
    turn_end();
    turn_end(const turn_end&) = delete;
    turn_end& operator=(const turn_end&) = delete;

    /// Names the member function an entry calls: calls<&connection::on_turn_end>{}.
    template <auto Method>
    struct calls {};

    /// One piece of work, run once for each time that it was set in a turn, or several. It may do
    /// anything, also destroy entries; what is set meanwhile is run in the next turn.
    class entry : link {
    public:
        template <class Owner, auto Method>
        entry(turn_end& whose, Owner& owner, calls<Method>)
            : whose_(whose), owner_(&owner),
              work_([](void* which) { (static_cast<Owner*>(which)->*Method)(); }) {}

        ~entry() {
            unlink();
        }

        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;

        void set();

    private:
        friend class turn_end;
        void unlink();

        turn_end& whose_;
        void* owner_;
        void (*work_)(void*);
    };

    bool has_work() const {
        return waiting_.after != &waiting_;
    }

    /// What was set until now.
    void run();

private:
    link waiting_;
};

} // namespace relais::gateway
