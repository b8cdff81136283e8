#include "outbox/repair.hpp"

#include "async/failpoint.hpp"
#include "outbox/envelope_json.hpp"
#include "postgres/text_format.hpp"

#include <fmt/format.h>

#include <charconv>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds usual{5};
/// Making a slot waits for every transaction that is open at the moment.
constexpr std::chrono::minutes slot_limit{10};
constexpr std::chrono::minutes listing_limit{5};

asio::awaitable<link_result<std::string>> create_slot(server_link& replication, std::string name) {
    const auto made = co_await replication.query(
        fmt::format("CREATE_REPLICATION_SLOT \"{}\" LOGICAL pgoutput EXPORT_SNAPSHOT", name), {},
        slot_limit);
    if (!made) {
        co_return std::unexpected(made.error());
    }
    co_return made->at(0)[2].value_or(""); // slot_name, consistent_point, snapshot_name, plugin
}

/// Lists what to publish from the table, and moves to the new epoch, in one transaction that sees
/// exactly what the slot will not bring.
asio::awaitable<link_result<void>> enter_epoch(server_link& sql, std::string snapshot,
                                               std::uint64_t epoch, server_identity server) {
    const std::string number = std::to_string(epoch);
    const std::vector<std::pair<std::string, std::vector<std::optional<std::string>>>> steps{
        {"begin isolation level repeatable read", {}},
        {fmt::format("set transaction snapshot '{}'", snapshot), {}},
        {"delete from outbox_repair", {}},
        {std::string(list_unpublished_sql), {server.system_id}},
        {std::string(begin_epoch_sql), {number, server.system_id, server.timeline, "logical", "0"}},
        {"delete from outbox_assigned", {}},
        {"delete from outbox_shard", {}},
        {"commit", {}},
    };
    for (const auto& [statement, parameters] : steps) {
        const auto done = co_await sql.query(statement, parameters, listing_limit);
        if (!done) {
            const auto& why = done.error();
            co_await sql.query("rollback", {}, usual);
            co_return std::unexpected(why);
        }
    }
    co_return link_result<void>();
}

/// With the lock held.
asio::awaitable<link_result<bool>> make_slot_alone(server_link& sql, server_link& replication,
                                                   server_identity server) {
    auto state = co_await read_progress(sql);
    if (!state) {
        co_return std::unexpected(state.error());
    }
    const auto present = co_await look_at_slot(sql, slot_name(*state));
    if (!present) {
        co_return std::unexpected(present.error());
    }
    const bool same_server =
        state->system_id == server.system_id && state->timeline == server.timeline;
    const bool streamed = state->mode == relay_mode::logical;
    if (present->exists && !present->lost && same_server && streamed) {
        co_return false; // somebody did it while we waited for the lock
    }
    const auto epoch = co_await next_epoch(sql);
    if (!epoch) {
        co_return std::unexpected(epoch.error());
    }
    // Also removes what an interrupted attempt left behind.
    const auto dropped = co_await drop_other_slots(sql, "");
    if (!dropped) {
        co_return std::unexpected(dropped.error());
    }
    state->epoch = *epoch;
    const auto snapshot = co_await create_slot(replication, slot_name(*state));
    if (!snapshot) {
        co_return std::unexpected(snapshot.error());
    }
    async::failpoint("relay.repair_slot_made");
    const auto entered = co_await enter_epoch(sql, *snapshot, *epoch, server);
    if (!entered) {
        co_return std::unexpected(entered.error());
    }
    co_return true;
}

} // namespace

asio::awaitable<link_result<void>> drop_other_slots(server_link& sql, std::string keep) {
    const auto answer =
        co_await sql.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                           " where database = current_database() and not active"
                           " and starts_with(slot_name, 'relais_outbox_') and slot_name <> $1",
                           {std::move(keep)}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<server_identity>> identify(server_link& replication) {
    const auto answer = co_await replication.query("IDENTIFY_SYSTEM", {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const auto& row = answer->at(0);
    co_return server_identity{row[0].value_or(""), row[1].value_or("")};
}

asio::awaitable<link_result<bool>> make_slot(server_link& sql, server_link& replication,
                                             server_identity server) {
    const auto lock =
        co_await sql.query("select pg_try_advisory_lock(hashtext('relais_outbox'))", {}, usual);
    if (!lock) {
        co_return std::unexpected(lock.error());
    }
    if (lock->at(0)[0] != "t") {
        co_return false;
    }
    auto made = co_await make_slot_alone(sql, replication, std::move(server));
    const auto unlocked =
        co_await sql.query("select pg_advisory_unlock(hashtext('relais_outbox'))", {}, usual);
    static_cast<void>(unlocked); // the lock ends with the session anyway
    co_return made;
}

asio::awaitable<link_result<std::vector<repair_row>>>
read_repair(server_link& sql, std::uint32_t after, int at_most) {
    // OFFSET 0, because for a plain join the planner, once there are statistics, reads all events
    // each time.
    const auto answer = co_await sql.query(
        "select r.ordinal, e.id, e.topic, e.key, e.headers, e.value, e.seq from outbox_repair r"
        " cross join lateral (select * from outbox_event e where e.seq = r.seq and e.at = r.at"
        "   offset 0) e where r.ordinal > $1::bigint order by r.ordinal limit $2::int",
        {std::to_string(after), std::to_string(at_most)}, listing_limit);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    std::vector<repair_row> rows;
    for (const auto& each : *answer) {
        repair_row row;
        const auto& ordinal = each[0].value_or("0");
        std::from_chars(ordinal.data(), ordinal.data() + ordinal.size(), row.ordinal);
        const auto id = event_id::parse(each[1].value_or(""));
        auto headers = headers_from_json(each[4].value_or(""));
        auto value = each[5] ? pg::parse_bytea(*each[5]) : result<std::string>("");
        if (!id || !headers || !value) {
            co_return std::unexpected(refusal{"XX001", "an unreadable row in outbox_event"});
        }
        row.id = *id;
        const auto& seq = each[6].value_or("0");
        std::from_chars(seq.data(), seq.data() + seq.size(), row.event.seq);
        row.event.record.topic = each[2].value_or("");
        row.event.record.key = each[3].value_or("");
        row.event.record.headers = std::move(*headers);
        if (each[5]) {
            row.event.record.value = std::move(*value);
        }
        rows.push_back(std::move(row));
    }
    co_return rows;
}

asio::awaitable<link_result<void>> forget_repair(server_link& sql, std::uint32_t up_to) {
    const auto answer = co_await sql.query("delete from outbox_repair where ordinal <= $1::bigint",
                                           {std::to_string(up_to)}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<bool>> repair_is_left(server_link& sql) {
    const auto answer = co_await sql.query("select exists (select from outbox_repair)", {}, usual);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    co_return answer->at(0)[0] == "t";
}

asio::awaitable<link_result<std::vector<std::string>>> repair_topics(server_link& sql) {
    const auto answer = co_await sql.query("select distinct topic from outbox_repair"
                                           " join outbox_event using (seq, at)",
                                           {}, listing_limit);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    std::vector<std::string> topics;
    for (const auto& row : *answer) {
        topics.push_back(row[0].value_or(""));
    }
    co_return topics;
}

} // namespace relais::outbox
