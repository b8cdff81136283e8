#include "inbox/store.hpp"
#include "support/inbox_rig.hpp"

using namespace relais;

namespace {

struct rig : test::inbox_rig {
    pg::pool pool{{.url = database.url(), .application_name = "test", .connections = 1},
                  metrics,
                  log::logger()};

    template <class Work>
    auto transact(Work work) {
        auto done = test::await_on(loop, pool.transact("test", work));
        REQUIRE(done);
        return *std::move(done);
    }

    std::size_t note(const std::string& group, const std::set<event_id>& ids) {
        return transact([&](pg::transaction& tx) -> result<std::size_t> {
            return inbox::note_seen(tx, group, ids).size();
        });
    }

    /// Partitions for days, without the one for all others.
    std::string days() const {
        return database.value("select count(*) from pg_inherits where inhparent ="
                              " 'inbox_seen'::regclass") +
               " with " + database.value("select count(*) from inbox_seen") + " ids";
    }
};

event_id id_of(const std::string& text) {
    return *event_id::parse(text);
}

} // namespace

TEST_CASE("ids of events are kept by the day that they carry, and go with it", "[inbox]") {
    rig on;
    const auto today = event_id::make();
    const auto foreign = id_of("11111111-2222-4333-8444-555555555555"); // version 4: no time in it
    CHECK(on.note("g", {today, foreign}) == 2);
    CHECK(on.note("g", {today, foreign}) == 0);
    CHECK(on.note("other", {today}) == 1);
    CHECK(on.database.value("select count(*) from inbox_seen_other") == "1");

    // Ten days later: the day of `today` is too old, the foreign one was seen too long ago.
    const auto maintain = [&](int kept) {
        on.transact([kept](pg::transaction& tx) -> result<bool> {
            inbox::maintain_seen(tx, kept);
            return true;
        });
    };
    maintain(8);
    CHECK(on.days() == "17 with 3 ids"); // 8 days back, today, 7 ahead, and the others
    on.database.query("update inbox_seen set seen_at = now() - interval '9 days'"
                      " where event_id = '" +
                      foreign.text() + "'");
    maintain(8);
    CHECK(on.days() == "17 with 2 ids");
    maintain(-1); // today is too old
    CHECK(on.database.value("select count(*) from inbox_seen") == "0");
    CHECK(on.note("g", {today}) == 1); // its partition is gone, but not its place
}

TEST_CASE("a group that is not needed any more is forgotten, and no other", "[inbox]") {
    rig on;
    const auto first = event_id::make();
    const auto second = event_id::make();
    on.note("replay:x", {first, second});
    on.note("g", {first});
    const auto forgotten = on.transact([](pg::transaction& tx) -> result<std::size_t> {
        return inbox::forget_group(tx, "replay:x");
    });
    CHECK(forgotten == 2);
    CHECK(on.note("g", {first}) == 0);
    CHECK(on.note("replay:x", {first}) == 1);
}
