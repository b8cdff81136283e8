#include "support/inbox_rig.hpp"

#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <stdexcept>

using namespace std::chrono_literals;

namespace relais::test {
namespace {

using relais::identity::v1::ContactSnapshot;
using relais::market::v1::JobPublished;

/// False when nobody else comes in time.
bool meets_another() {
    static std::mutex guard;
    static std::condition_variable came;
    static int arrived = 0;
    std::unique_lock lock(guard);
    const int own = ++arrived;
    if (own % 2 == 0) {
        came.notify_all();
        return true;
    }
    const bool met = came.wait_for(lock, 800ms, [own] { return arrived > own; });
    arrived -= met ? 0 : 1;
    return met;
}

result<void> handle_job(pg::transaction& tx, const JobPublished& job, const inbox::context& about) {
    const auto& what = job.category();
    tx.exec("insert into effect (job, category, attempt, event_id) values ($1, $2, $3, $4)",
            {job.job_id(), what, about.attempt, about.event.id});
    if (what.starts_with("fail-") && about.attempt <= std::stoul(what.substr(5))) {
        return fail(error_kind::unavailable, "not-yet", "asked to fail");
    }
    if (what == "invalid") {
        return fail(error_kind::invalid, "never", "asked to be refused");
    }
    if (what == "throw") {
        throw std::runtime_error("asked to throw");
    }
    if (what == "break") {
        tx.exec("insert into effect (job, category) values (null, null)");
    }
    if (what == "meet" && !meets_another()) {
        return fail(error_kind::invalid, "nobody-came", "no other handler runs");
    }
    if (what == "hang") {
        std::promise<void> never;
        never.get_future().wait();
    }
    if (what == "abort") {
        std::_Exit(66);
    }
    return {};
}

using job_batch = std::span<const inbox::delivery<JobPublished>>;

result<void> handle_jobs(pg::transaction& tx, job_batch batch) {
    std::string jobs;
    for (const auto& each : batch) {
        const auto done = handle_job(tx, each.message, each.about);
        if (!done) {
            return done;
        }
        jobs += each.message.job_id() + " ";
    }
    tx.exec("insert into batch (jobs) values ($1)", {jobs});
    return {};
}

result<void> handle_contact(pg::transaction& tx, const ContactSnapshot& contact,
                            const inbox::context&) {
    tx.exec("insert into contact (id, version) values ($1, $2)"
            " on conflict (id) do update set version = excluded.version",
            {contact.account_id(), static_cast<std::int64_t>(contact.version())});
    return {};
}

result<void> erase_contact(pg::transaction& tx, const std::string& key, const inbox::context&) {
    tx.exec("delete from contact where id = $1", {key});
    return {};
}

pg::pool_settings pool_settings(const std::string& url) {
    return {.url = url, .application_name = "notification", .connections = 3};
}

} // namespace

inbox_instance::inbox_instance(const std::string& database_url, const std::string& prefix,
                               const std::string& name, boost::asio::io_context& loop,
                               std::size_t batch_max, handlers how, int parallel_keys)
    : loop_(loop), pool_(pool_settings(database_url), metrics_, log::logger()),
      consumer_({.brokers = kafka_topics::brokers(),
                 .group = "notification-" + prefix,
                 .instance = name,
                 .batch_max = batch_max,
                 .parallel_keys = parallel_keys,
                 .topic_prefix = prefix,
                 .session_timeout = 6s,
                 .hang_limit = 500ms},
                pool_, loop, metrics_, log::logger()),
      tasks_(loop,
             [](const std::string& task, const std::string& what) { FAIL(task << ": " << what); }) {
    if (how == handlers::batches) {
        consumer_.on_batch<JobPublished>(quick_policy(), handle_jobs);
    } else {
        consumer_.on<JobPublished>(quick_policy(), handle_job);
    }
    consumer_.on_snapshot<ContactSnapshot>("contact", quick_policy(), handle_contact,
                                           erase_contact);
}

void inbox_instance::start() {
    tasks_.spawn("inbox", consumer_.run());
}

void inbox_instance::stop() {
    tasks_.cancel();
    await_on(loop_, tasks_.join());
}

inbox_rig::inbox_rig(std::uint32_t partitions)
    : topics({job_topic, contact_topic}, partitions),
      producer({.brokers = kafka_topics::brokers(),
                .client_id = "relay",
                .topic_prefix = topics.prefix(),
                .topics = {job_topic, contact_topic}},
               loop, metrics, log::logger()) {
    database.query("create table effect (n bigserial, job text not null, category text,"
                   " attempt int, event_id uuid);"
                   " create table contact (id text primary key, version bigint);"
                   " create table batch (n bigserial, jobs text not null)");
}

events::event inbox_rig::placed(events::event value) {
    value.position = events::position{source, ++lsn, 0};
    return value;
}

events::event inbox_rig::make_job(const std::string& job, const std::string& category) {
    JobPublished message;
    message.set_job_id(job);
    message.set_category(category);
    const auto now = system_clock().now();
    return placed(events::make_event(
        message, "web-api", events::cause::from_request(trace::context::start(), "r"), now));
}

events::event inbox_rig::make_contact(const std::string& account, std::uint64_t version) {
    ContactSnapshot message;
    message.set_account_id(account);
    message.set_version(version);
    const auto now = system_clock().now();
    return placed(events::make_event(
        message, "web-api", events::cause::from_request(trace::context::start(), "r"), now));
}

void inbox_rig::send(const events::event& value) {
    send(kafka::to_record(value));
}

void inbox_rig::send(const kafka::record& value) {
    REQUIRE(producer.send(value, [](const auto& done) { CHECK(done.has_value()); }));
}

std::vector<std::string> inbox_rig::effects(const std::string& job) const {
    const auto where = job.empty() ? std::string() : " where job = '" + job + "'";
    std::vector<std::string> all;
    for (const auto& row : database.query("select category from effect" + where + " order by n")) {
        all.push_back(row[0]);
    }
    return all;
}

std::int64_t inbox_rig::count(const std::string& table) const {
    return std::stoll(database.value("select count(*) from " + table));
}

void inbox_rig::wait_for_effects(std::size_t number) {
    wait_for_count("effect", static_cast<std::int64_t>(number));
}

void inbox_rig::wait_for_count(const std::string& table, std::int64_t number) {
    wait_until([&] { return count(table) >= number; });
}

} // namespace relais::test
