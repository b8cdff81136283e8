#pragma once

#include "inbox/plan.hpp"
#include "outbox/confirmation_ring.hpp"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace relais::test {

/// What a simulation does wrong on purpose, to see that it is noticed.
struct mistakes {
    bool confirms_when_sent = false; ///< a relay does not wait for delivery reports
    bool forgets_watermarks = false; ///< a consumer commits effects without its position
    bool ignores_holds = false;      ///< followers of a failed event are run
    bool repairs_blindly = false;    ///< a repair does not look at what the broker has
};

/// The outbox's ring and the inbox's plan and watermark, as they are, between a database, a broker
/// and processes that are vectors here. A seeded scheduler decides what happens next: commits,
/// reads, deliveries, reports, batches, failures, crashes, frozen relays, stale consumers, lost
/// slots, duplicates. Time is the number of steps.
class simulated_backbone {
public:
    explicit simulated_backbone(std::uint64_t seed, mistakes wrong = {});

    void step();

    /// No more commits and no more faults until nothing is on its way.
    void drain();

    /// What must not be: lost, twice, out of order, a watermark that went back. Empty when all is
    /// well.
    const std::vector<std::string>& problems() const {
        return problems_;
    }

    std::size_t committed() const {
        return log_.size();
    }

    /// How often each kind of thing happened.
    const std::map<std::string, std::size_t>& counts() const {
        return counts_;
    }

private:
    static constexpr std::size_t partition_count = 3;
    static constexpr std::uint64_t key_count = 8;

    struct transaction {
        outbox::lsn commit = 0;
        outbox::lsn end = 0;
        std::vector<events::event> events;
    };

    struct flight {
        events::event event;
        outbox::confirmation_ring::ticket ticket = 0;
    };

    /// A relay's process. One that was frozen has lost the slot but not what it was sending.
    struct relay {
        outbox::confirmation_ring ring;
        std::size_t next = 0; ///< transaction to read
        std::array<std::deque<flight>, partition_count> sending;
        std::deque<outbox::confirmation_ring::ticket> reports;
    };

    struct parked {
        events::event event;
        unsigned attempts = 0;
    };

    /// A partition at the broker, and its row and parked events in the consumer's database.
    struct partition {
        std::vector<events::event> records;
        inbox::watermark mark;
        std::map<std::string, std::deque<parked>> held;
    };

    std::uint64_t below(std::uint64_t limit);
    bool happens(std::uint64_t percent);
    timestamp now() const;
    void fault();
    void commit();
    void start_relay();
    void read(relay& by);
    void accept(relay& by, std::size_t where);
    void report(relay& by);
    void confirm();
    void stop_relay(bool frozen);
    void let_zombies_send();
    void lose_slot();
    void repair();
    void consume(std::size_t instance, std::size_t where);
    void handle(partition& at, std::size_t from, std::size_t count, bool may_fail);
    void run_held(partition& at);
    void duplicate();
    void take_effect(const events::event& event);
    void save(partition& at, const inbox::watermark& mark);
    bool idle() const;
    void compare();

    std::mt19937_64 random_;
    mistakes wrong_;
    std::uint64_t steps_ = 0;
    bool draining_ = false;
    std::vector<transaction> log_;
    std::map<std::string, std::uint64_t> numbers_; ///< of a key's last event
    std::uint64_t ids_ = 0;
    std::uint64_t epoch_ = 1;
    outbox::lsn slot_ = 0;      ///< confirmed
    std::size_t published_ = 0; ///< transactions that are known to be delivered
    std::unique_ptr<relay> relay_;
    std::vector<std::unique_ptr<relay>> zombies_;
    std::array<partition, partition_count> partitions_;
    std::array<std::array<std::size_t, partition_count>, 2> positions_{}; ///< of two consumers
    std::map<event_id, unsigned> effects_;
    std::map<std::string, std::uint64_t> last_effects_;
    std::vector<std::string> problems_;
    std::map<std::string, std::size_t> counts_;
};

} // namespace relais::test
