#include "inbox/held.hpp"
#include "support/inbox_rig.hpp"

using namespace relais;

namespace {

/// An event that is held, and what its attempts are begun with.
class held_event {
public:
    explicit held_event(test::inbox_rig& on)
        : on_(on), at_{"notification", {"market.job.events.v1", 0}},
          pool_(on.database.pool_settings(1), on.metrics, log::logger()) {
        handlers_.add("relais.market.v1.JobPublished",
                      {.topic = at_.where.topic,
                       .run = [](pg::transaction&, const events::event&, const inbox::context&) {
                           return result<void>();
                       }});
        const auto event = on.make_job("a", "ok");
        transact([&](pg::transaction& tx) -> result<void> {
            inbox::begin_partitions(tx, at_.group, {at_.where});
            inbox::park(tx, at_,
                        {.record = kafka::to_record(event), .event = event, .attempts = 0});
            inbox::hold(tx, at_, "a", time_.now(), {});
            return {};
        });
    }

    /// Begins an attempt, and commits it or not; then the database is lost.
    inbox::held_report::state begin(std::optional<inbox::crash_count>& found, bool committed) {
        const inbox::held_work work{
            .at = at_, .all = handlers_, .time = time_, .key = "a", .found = found};
        inbox::attempt_progress progress;
        auto now = inbox::held_report::state::free;
        transact([&](pg::transaction& tx) -> result<void> {
            tx.exec("update inbox_held_key set next_at = now() - interval '1 s'");
            const auto report = inbox::begin_attempt(tx, work, progress, 0);
            REQUIRE(report);
            now = report->now;
            if (!committed) {
                return fail(error_kind::timeout, "commit-in-doubt");
            }
            return {};
        });
        found = progress.found ? progress.found : found;
        return now;
    }

private:
    template <class Work>
    void transact(Work work) {
        static_cast<void>(test::await_on(on_.loop, pool_.transact("test", std::move(work))));
    }

    test::inbox_rig& on_;
    inbox::place at_;
    pg::pool pool_;
    inbox::handlers handlers_;
    system_clock time_;
};

} // namespace

using inbox::held_report;

TEST_CASE("attempts that an outage breaks off are no crashes, also when their COMMIT is in doubt",
          "[inbox]") {
    test::inbox_rig on(1);
    held_event held(on);
    std::optional<inbox::crash_count> found;
    for (int i = 0; i < 12; ++i) {
        CHECK(held.begin(found, i % 3 != 1) == held_report::state::begun);
    }
    // The one that is under way. Should the process end now, it counts as a crash.
    CHECK(on.database.value("select attempts from inbox_parked") == "1");
    CHECK(on.database.value("select attempts - failures from inbox_parked") == "1");
    CHECK(on.count("inbox_dead_letter") == 0);
}

TEST_CASE("attempts of processes that ended are crashes, whatever the last one survived",
          "[inbox]") {
    test::inbox_rig on(1);
    held_event held(on);
    for (int process = 0; process < 3; ++process) {
        std::optional<inbox::crash_count> found;
        for (int outage = 0; outage < 4; ++outage) {
            CHECK(held.begin(found, true) == held_report::state::begun);
        }
    }
    std::optional<inbox::crash_count> found;
    CHECK(held.begin(found, true) == held_report::state::free);
    CHECK(on.database.value("select reason from inbox_dead_letter") == "crashed");
    CHECK(on.database.value("select attempts from inbox_dead_letter") == "3");
}
