#include "events/partitioner.hpp"
#include "support/inbox_rig.hpp"

#include <future>
#include <set>
#include <sstream>

using namespace relais;
using texts = std::vector<std::string>;

namespace {

constexpr std::uint32_t partitions = 6;

/// A job of each partition.
std::vector<std::string> one_of_each() {
    std::map<std::int32_t, std::string> jobs;
    for (int i = 0; jobs.size() < partitions; ++i) {
        const auto job = "job-" + std::to_string(i);
        jobs.emplace(events::partition_of(job, partitions), job);
    }
    texts all;
    for (const auto& [partition, job] : jobs) {
        all.push_back(job);
    }
    return all;
}

/// Keeps handlers from writing their effects.
class held_table {
public:
    explicit held_table(test::inbox_rig& on)
        : on_(on), pool_({.url = on.database.url(), .application_name = "test", .connections = 1},
                         metrics_, log::logger()),
          tasks_(on.loop, [](const std::string&, const std::string& what) { FAIL(what); }) {
        tasks_.spawn("hold", hold());
        on_.wait_until([this] { return locked_.load(); });
    }

    void wait_for_waiting(int transactions) const {
        on_.wait_until([&] {
            return on_.database.value("select count(*) from pg_locks where not granted"
                                      " and relation = 'effect'::regclass") ==
                   std::to_string(transactions); // as many as the instance has threads
        });
    }

    void release() {
        let_go_.set_value();
        test::await_on(on_.loop, tasks_.join());
    }

private:
    boost::asio::awaitable<void> hold() {
        auto body = [this](pg::transaction& tx) -> result<void> {
            tx.exec("lock table effect in exclusive mode");
            locked_ = true;
            let_go_.get_future().wait();
            return {};
        };
        const auto done = co_await pool_.transact("hold", body);
        REQUIRE(done);
    }

    test::inbox_rig& on_;
    metrics::registry metrics_;
    pg::pool pool_;
    async::task_group tasks_;
    std::promise<void> let_go_;
    std::atomic<bool> locked_ = false;
};

void publish_to_all(test::inbox_rig& on, const std::string& category) {
    for (const auto& job : one_of_each()) {
        on.publish(job, category);
    }
    REQUIRE(test::await_on(on.loop, on.producer.flush(std::chrono::seconds(10))));
}

/// The largest number of partitions whose events were handled in one transaction.
std::size_t most_partitions_at_once(const test::inbox_rig& on) {
    std::size_t most = 0;
    for (const auto& row : on.database.query("select string_agg(job, ' ') from effect"
                                             " group by xmin::text")) {
        std::set<std::int32_t> seen;
        std::istringstream words(row[0]);
        for (std::string job; words >> job;) {
            seen.insert(events::partition_of(job, partitions));
        }
        most = std::max(most, seen.size());
    }
    return most;
}

/// While all three transactions that may run at a time wait for the table, new events come to all
/// partitions: these are handled afterwards.
void fill_while_held(test::inbox_rig& on, const std::function<void()>& publish_more) {
    publish_to_all(on, "1"); // the first events of an assignment are handled alone
    on.wait_for_effects(partitions);
    held_table held(on);
    publish_to_all(on, "2");
    held.wait_for_waiting(3);
    publish_more();
    held.release();
}

} // namespace

TEST_CASE("partitions that wait for a turn share a transaction", "[inbox]") {
    test::inbox_rig on(partitions);
    auto one = on.make_instance();
    one.start();
    fill_while_held(on, [&on] {
        publish_to_all(on, "3");
        publish_to_all(on, "4");
    });
    on.wait_for_effects(std::size_t{4} * partitions);
    one.stop();
    CHECK(most_partitions_at_once(on) > 2);
    for (const auto& job : one_of_each()) {
        CHECK(on.effects(job) == texts{"1", "2", "3", "4"});
    }
    CHECK(on.database.value("select sum(next_offset) from inbox_watermark"
                            " where topic like 'market.job%'") == std::to_string(4 * partitions));
    CHECK(on.database.value("select max(lsn) from inbox_watermark") == std::to_string(on.lsn));
    CHECK(on.count("inbox_held_key") == 0);
}

TEST_CASE("what fails in a shared transaction holds up nothing of the others", "[inbox]") {
    test::inbox_rig on(partitions);
    auto one = on.make_instance();
    one.start();
    const auto jobs = one_of_each();
    fill_while_held(on, [&] {
        publish_to_all(on, "3");
        on.publish(jobs[2], "invalid");
        on.publish(jobs[4], "fail-1");
        on.publish(jobs[5], "throw");
        publish_to_all(on, "4");
    });
    on.wait_for_effects(std::size_t{4} * partitions + 1);
    on.wait_for_count("inbox_dead_letter", 2);
    one.stop();
    for (const auto& job : jobs) {
        auto expected = texts{"1", "2", "3", "4"};
        if (job == jobs[4]) {
            expected.insert(expected.begin() + 3, "fail-1");
        }
        CHECK(on.effects(job) == expected);
    }
    CHECK(on.database.value("select string_agg(convert_from(key, 'UTF8') || ' ' || reason, ', '"
                            " order by reason)"
                            " from inbox_dead_letter") ==
          jobs[5] + " db-pool-exception, " + jobs[2] + " never");
    CHECK(on.count("inbox_held_key") == 0);
}

TEST_CASE("instances that share transactions part without losing or repeating anything",
          "[inbox]") {
    test::inbox_rig on(partitions);
    auto one = on.make_instance("one");
    one.start();
    fill_while_held(on, [&on] { publish_to_all(on, "3"); });
    auto two = on.make_instance("two");
    two.start(); // a rebalance while there is work
    for (int i = 4; i <= 10; ++i) {
        publish_to_all(on, std::to_string(i));
    }
    on.wait_for_effects(std::size_t{10} * partitions);
    one.stop();
    publish_to_all(on, "11");
    on.wait_for_effects(std::size_t{11} * partitions);
    two.stop();
    for (const auto& job : one_of_each()) {
        CHECK(on.effects(job) == texts{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"});
    }
}

TEST_CASE("a database that fails under shared transactions costs nothing but time", "[inbox]") {
    test::inbox_rig on(partitions);
    // Every fifth effect or so finds the disc full, until it does not any more.
    on.database.query("create sequence tries; create function fill_disc() returns trigger"
                      " language plpgsql as $$ begin"
                      " if nextval('tries') % 5 = 0 and currval('tries') < 60 then"
                      "  raise exception 'full' using errcode = '53100'; end if;"
                      " return new; end $$;"
                      " create trigger full_disc before insert on effect"
                      " for each row execute function fill_disc()");
    auto one = on.make_instance();
    one.start();
    for (int i = 1; i <= 12; ++i) {
        publish_to_all(on, std::to_string(i));
        if (i % 4 == 0) {
            on.database.query("select pg_terminate_backend(pid) from pg_stat_activity"
                              " where datname = current_database() and pid <> pg_backend_pid()");
        }
    }
    on.wait_for_effects(std::size_t{12} * partitions);
    one.stop();
    CHECK(on.count("effect") == 12 * partitions);
    for (const auto& job : one_of_each()) {
        const auto all = on.effects(job);
        CHECK(std::ranges::is_sorted(all, {}, [](const auto& n) { return std::stoi(n); }));
    }
    CHECK(on.count("inbox_dead_letter") == 0);
}
