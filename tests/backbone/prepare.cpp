#include "async/task_group.hpp"
#include "backbone/node.hpp"
#include "kafka/admin.hpp"
#include "postgres/migrate.hpp"

#include <filesystem>
#include <stdexcept>

namespace relais::backbone {
namespace {

/// The truth about what was committed. key_counter's rows are locked until COMMIT, so that n grows
/// in commit order for each key.
constexpr const char* source_tables = R"(
    create table if not exists key_counter (key text primary key, n bigint not null);
    create table if not exists written (
        key text not null, n bigint not null, event_id uuid primary key,
        tx xid8 not null default pg_current_xact_id(), at timestamptz not null default now());
    create table if not exists planned (
        timer_id text primary key, due_at timestamptz not null, cancelled boolean not null);
    create table if not exists fired (
        seq bigserial primary key, timer_id text not null, due_at timestamptz not null,
        handler_now timestamptz not null, fired_by text not null,
        db_now timestamptz not null default clock_timestamp());
)";

/// What the consumers did, and each move of each watermark.
constexpr const char* sink_tables = R"(
    create table if not exists effects (
        seq bigserial primary key, key text not null, n bigint not null, event_id uuid not null,
        consumer_group text not null, attempt int not null,
        at timestamptz not null default clock_timestamp());
)";

constexpr const char* watermark_history = R"(
    create table if not exists watermark_move (
        seq bigserial primary key, consumer_group text not null, topic text not null,
        partition int not null, epoch bigint not null, lsn bigint not null, idx bigint not null,
        next_offset bigint);
    create or replace function note_watermark_move() returns trigger language plpgsql as $$
    begin
        insert into watermark_move
            (consumer_group, topic, partition, epoch, lsn, idx, next_offset)
            values (new.consumer_group, new.topic, new.partition, new.epoch, new.lsn, new.idx,
                    new.next_offset);
        return null;
    end $$;
    create or replace trigger note_watermark_move after update on inbox_watermark
        for each row execute function note_watermark_move();
)";

std::vector<pg::migration_component> migrations(const std::filesystem::path& folder) {
    std::vector<pg::migration_component> all;
    for (const std::string name : {"postgres", "outbox", "timers", "inbox"}) {
        if (std::filesystem::exists(folder / name)) {
            all.push_back({name, folder / name});
        }
    }
    return all;
}

/// Runs a script in one transaction of a pool that lives as long.
void run_script(const options& given, const std::string& sql) {
    node on(given, "prepare");
    pg::pool database(on.pool_settings(1), on.metrics(), on.logger());
    result<void> outcome;
    const auto work = [&]() -> boost::asio::awaitable<void> {
        auto body = [&](pg::transaction& tx) -> result<void> {
            tx.exec_script(sql);
            return {};
        };
        outcome = co_await database.transact("prepare", body);
        on.done();
    };
    on.tasks().spawn("prepare", work());
    on.run();
    if (!outcome) {
        throw std::runtime_error(outcome.error().slug + ": " + outcome.error().detail);
    }
}

} // namespace

void prepare(const options& given) {
    const auto applied = pg::migrate(given.text("url"), migrations(given.text("migrations")),
                                     [](const pg::applied_migration&) {});
    if (!applied) {
        throw std::runtime_error(applied.error().slug + ": " + applied.error().detail);
    }
    std::string sql = given.text("side") == "source" ? source_tables : sink_tables;
    if (given.number("history", 0) != 0 && given.text("side") == "sink") {
        sql += watermark_history;
    }
    run_script(given, sql);
}

void manage_topics(const options& given) {
    kafka::admin admin(given.text("brokers"), "backbone", std::chrono::seconds(20));
    const auto* topic = given.number("bulk", 0) != 0 ? bulk_topic_name : topic_name;
    const auto name = given.text("prefix") + topic;
    const auto partitions = static_cast<std::uint32_t>(given.number("partitions", 12));
    const auto done =
        given.number("remove", 0) != 0
            ? admin.remove(name)
            : admin.create(
                  {.name = name, .partitions = partitions, .config = kafka::broker_times()});
    if (!done) {
        throw std::runtime_error(done.error().slug + ": " + done.error().detail);
    }
}

} // namespace relais::backbone
