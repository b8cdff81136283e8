#include "postgres/text_format.hpp"
#include "relais/ops/v1/audit_events.pb.h"
#include "support/dead_letters_rig.hpp"

#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

using namespace relais;
using namespace std::chrono_literals;

namespace {

using rig = test::dead_letters_rig;
using ids = std::vector<std::int64_t>;

result<ids> redrivable(rig& on, const inbox::dead_letter_filter& filter, bool quarantined) {
    return on.transact([&](pg::transaction& tx) -> result<ids> {
        return inbox::find_redrivable(tx, filter, quarantined);
    });
}

} // namespace

TEST_CASE("dead letters are grouped by what is the same about their errors", "[inbox]") {
    rig on;
    on.bury({.offset = 1, .detail = "no account 17"});
    on.bury({.offset = 2, .detail = "no account 18", .redrives = 1});
    const auto newest = on.bury({.offset = 3, .detail = "no account 9"});
    on.bury({.offset = 4, .detail = "no contact 9"});
    REQUIRE(on.redrive(on.bury({.offset = 5, .detail = "no account 1"}))); // settled: not in it
    const auto groups =
        on.transact([](pg::transaction& tx) -> result<std::vector<inbox::dead_letter_group>> {
            return inbox::group_dead_letters(tx, {});
        });
    REQUIRE(groups->size() == 2);
    const auto& first = groups->front();
    CHECK(first.letters == 3);
    CHECK(first.quarantined == 1);
    CHECK(first.pattern == "no account <n>");
    CHECK(first.type == "relais.market.v1.JobPublished");
    CHECK(first.example == newest);
    CHECK(first.fingerprint != groups->back().fingerprint);
    CHECK(redrivable(on, {.fingerprint = first.fingerprint}, true)->size() == 3);
}

TEST_CASE("what is redriven, and in which order", "[inbox]") {
    rig on;
    const auto third = on.bury({.offset = 9});
    const auto first = on.bury({.offset = 3});
    const auto second = on.bury({.job = "job-b", .offset = 5});
    const auto again = on.bury({.offset = 4, .redrives = 1});
    const auto unreadable = on.bury({.offset = 1, .readable = false});
    CHECK(redrivable(on, {}, false) == ids{first, second, third});
    CHECK(redrivable(on, {}, true) == ids{first, again, second, third});
    CHECK(redrivable(on, {.limit = 1}, true) == ids{first});
    CHECK(redrivable(on, {.reason = "other"}, true)->empty());
    CHECK(on.redrive(unreadable).error().slug == "not-redrivable");
    CHECK(on.count("inbox_dead_letter_audit") == "0");
}

TEST_CASE("an edited letter runs as it was edited; the original and who did it stay", "[inbox]") {
    rig on;
    const auto id = on.bury({});
    const auto original = on.database.value("select value from inbox_dead_letter");
    const auto edit = [&](std::int64_t which, const std::string& json) {
        return on.transact([&](pg::transaction& tx) {
            return inbox::edit(tx, which, json, on.time.now(), {"anna", "a typing error"});
        });
    };
    CHECK(edit(id, R"({"job_id":"job-a","colour":"red"})").error().slug == "payload-json");
    CHECK(edit(id + 9, "{}").error().slug == "no-such-dead-letter");
    CHECK(edit(on.bury({.readable = false}), "{}").error().slug == "not-redrivable");
    REQUIRE(edit(id, R"({"job_id":"job-a","category":"new"})"));
    REQUIRE(on.redrive(id, {"bert", ""}));
    CHECK(edit(id, "{}").error().slug == "already-redriven");

    CHECK(on.database.value("select value from inbox_dead_letter order by id") == original);
    market::v1::JobPublished job;
    job.set_job_id("job-a");
    job.set_category("new");
    const auto parked = on.transact([](pg::transaction& tx) -> result<std::string> {
        return tx.exec("select value from inbox_parked").front().bytes(0);
    });
    CHECK(parked == job.SerializeAsString());

    const auto deeds =
        on.transact([&](pg::transaction& tx) -> result<std::vector<inbox::dead_letter_deed>> {
            return inbox::list_deeds(tx, id, 10);
        });
    REQUIRE(deeds->size() == 2);
    const auto& edited = deeds->back();
    CHECK(edited.what == "edit");
    CHECK(edited.who == "anna");
    CHECK(edited.why == "a typing error");
    CHECK(edited.before != edited.after); // the digests of the messages
    CHECK(deeds->front().what == "redrive");
    CHECK(deeds->front().who == "bert");
    CHECK(deeds->front().before == edited.after);
    CHECK(deeds->front().after.find(R"("state": "redriven")") != std::string::npos);
}

TEST_CASE("a discarded letter stays as a row and is not counted", "[inbox]") {
    rig on;
    const auto id = on.bury({});
    on.bury({.offset = 1});
    const auto discard = [&](const std::string& why) {
        return on.transact([&](pg::transaction& tx) {
            return inbox::discard(tx, id, on.time.now(), {"anna", why});
        });
    };
    CHECK(discard("").error().slug == "reason-missing");
    REQUIRE(discard("the job is gone"));
    CHECK(discard("again").error().slug == "already-discarded");
    CHECK(on.redrive(id).error().slug == "already-discarded");
    const auto counts =
        on.transact([](pg::transaction& tx) -> result<std::vector<inbox::dead_letter_count>> {
            return inbox::count_dead_letters(tx, "group");
        });
    REQUIRE(counts->size() == 1);
    CHECK(counts->front().letters == 1);
    CHECK(on.count("inbox_dead_letter") == "2");
    CHECK(on.count("inbox_parked") == "0");
    CHECK(on.database.value("select why from inbox_dead_letter_audit") == "the job is gone");
    const auto told = on.database.query("select topic, key, value from outbox_event");
    REQUIRE(told.size() == 1); // not of what was refused
    CHECK(told[0][0] == "ops.audit.events.v1");
    CHECK(told[0][1] == fmt::format("group/dead-letter/{}", id));
    ops::v1::OperatorActed act;
    REQUIRE(act.ParseFromString(pg::parse_bytea(told[0][2]).value()));
    CHECK(act.who() == "anna");
    CHECK(act.action() == "dead-letter.discard");
    CHECK(act.reason() == "the job is gone");
    CHECK(act.after().find(R"("state":"discarded")") != std::string::npos);
}

TEST_CASE("of two operators at once, one redrives a letter", "[inbox]") {
    rig on;
    for (int round = 0; round < 20; ++round) {
        const auto id = on.bury({.job = "job-" + std::to_string(round), .offset = round});
        std::vector<std::future<result<void>>> both;
        for (const char* name : {"anna", "bert"}) {
            auto work = [&on, id, name](pg::transaction& tx) {
                return inbox::redrive(tx, id, on.time.now(), {name, ""});
            };
            both.push_back(boost::asio::co_spawn(on.loop, on.pool.transact("race", std::move(work)),
                                                 boost::asio::use_future));
        }
        on.loop.restart();
        on.loop.run();
        const auto first = both[0].get();
        const auto second = both[1].get();
        CHECK(first.has_value() != second.has_value());
        CHECK((first ? second : first).error().slug == "already-redriven");
    }
    CHECK(on.count("inbox_parked") == "20");
    CHECK(on.count("inbox_dead_letter_audit") == "20");
    CHECK(on.database.value("select held_keys from inbox_watermark") == "20");
}

TEST_CASE("settled letters are kept for a while, open ones for ever", "[inbox]") {
    rig on;
    const auto redriven = on.bury({});
    const auto open = on.bury({.offset = 1});
    REQUIRE(on.redrive(redriven));
    const auto forget = [&](std::chrono::days later) {
        return on
            .transact([&](pg::transaction& tx) -> result<std::size_t> {
                return inbox::forget_settled(tx, "group", on.time.now() + later);
            })
            .value();
    };
    CHECK(forget(inbox::settled_kept - std::chrono::days(1)) == 0);
    CHECK(forget(inbox::settled_kept + std::chrono::days(1)) == 1);
    CHECK(on.database.value("select string_agg(id::text, ' ') from inbox_dead_letter") ==
          std::to_string(open));
    CHECK(on.count("inbox_dead_letter_audit") == "1");
    CHECK(forget(inbox::deeds_kept + std::chrono::days(1)) == 1);
    CHECK(on.count("inbox_dead_letter_audit") == "0");
}
