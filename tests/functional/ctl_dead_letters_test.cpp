#include "support/dead_letters_rig.hpp"
#include "support/relaisctl.hpp"

using namespace relais;
using namespace std::chrono_literals;

namespace {

struct rig : test::dead_letters_rig {
    test::said ctl(const std::string& words) const {
        return test::relaisctl(database, "dead-letters " + words + " --service upload");
    }

    test::said edit(const std::string& words, const std::string& json) const {
        return test::relaisctl(database,
                               "dead-letters edit " + words + " --data - --service upload", json);
    }
};

} // namespace

TEST_CASE("dead letters by hand: seen, redriven at a rate, a dry run changes nothing", "[ctl]") {
    rig on;
    for (int i = 0; i < 10; ++i) {
        on.bury({.job = "job-" + std::to_string(i % 3), .offset = 20 - i});
    }
    on.bury({.offset = 30, .redrives = 1});
    CHECK(on.ctl("list").has("1 attempts  market.job.events.v1/0@11"));
    CHECK(on.ctl("list").has("quarantined"));
    const auto groups = on.ctl("groups");
    CHECK(groups.has("11 letters (1 quarantined)  no-account"));
    CHECK(on.ctl("groups --json").has(R"("pattern":"none <n>","letters":11)"));
    CHECK(on.ctl("show " + std::to_string(on.last_id)).has(R"("data":{"job_id":"job-a")"));

    const auto dry = on.ctl("redrive --all");
    CHECK(dry.code == 0);
    CHECK(dry.has("would redrive 10 letter(s)"));
    CHECK(dry.has("say --yes to do it"));
    CHECK(on.count("inbox_parked") == "0");

    const auto begin = std::chrono::steady_clock::now();
    const auto done = on.ctl("redrive --all --rate 5/s --yes --by anna --why 'mended'");
    CHECK(std::chrono::steady_clock::now() - begin >= 1'800ms);
    CHECK(done.has("upload: redrive 10 letter(s)"));
    CHECK(done.has(" of 10\n")); // progress
    CHECK(on.count("inbox_parked") == "10");
    // Of each key, and of all, in the order of their offsets.
    CHECK(on.database
              .query("select 1 from (select l.record_offset - lag(l.record_offset) over"
                     " (order by a.id) as step from inbox_dead_letter_audit a"
                     " join inbox_dead_letter l on l.id = a.letter_id) s where step < 0")
              .empty());
    CHECK(on.ctl("audit").has("redrive by anna: mended"));
    CHECK(on.ctl("redrive --all --yes").has("redrive 0 letter(s)"));
    CHECK(on.ctl("redrive --all --quarantined --yes").has("redrive 1 letter(s)"));
    CHECK(on.ctl("audit " + std::to_string(on.last_id)).has("redrive by tester\n"));
    CHECK(on.ctl("list").has("no dead letters"));
    CHECK(on.ctl("list --settled").has("  redriven"));
}

TEST_CASE("dead letters by hand: edited, discarded; errors say what to do", "[ctl]") {
    rig on;
    const auto id = std::to_string(on.bury({}));
    const auto other = std::to_string(on.bury({.offset = 1}));
    const auto edited = on.edit(id + " --redrive --yes", R"({"category":"new"})");
    CHECK(edited.has("upload: edit 1 letter(s)"));
    CHECK(on.database.value("select value from inbox_parked") == "\\x1a036e6577"); // 3: "new"
    const auto bad = on.edit(other + " --yes", R"({"colour":1})");
    CHECK(bad.code == 1);
    CHECK(bad.has("payload-json"));
    CHECK(on.ctl("discard " + other).code == 2);
    CHECK(on.ctl("discard " + other + " --why 'no use'").has("would discard 1 letter(s)"));
    CHECK(on.ctl("discard " + other + " --why 'no use' --yes --json")
              .has(R"("action":"discard","done":true,"taken_by_others":0,"letters":[)" + other));
    const auto taken = on.ctl("redrive " + id + " --yes");
    CHECK(taken.code == 1);
    CHECK(taken.has("already-settled: dead-letters list --settled"));
    CHECK(on.ctl("redrive").code == 2);
    CHECK(on.ctl("redrive --all --rate fast").code == 2);
    CHECK(on.ctl("edit " + other).code == 2);
    CHECK(on.ctl("explode").code == 2);
}
