#include "support/inbox_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <atomic>

using namespace relais;
using texts = std::vector<std::string>;

namespace {

/// Notes in the table `seen`, in the same transaction, what it is told.
inbox::interceptor noting(std::map<inbox::outcome, int>& after) {
    const auto note = [](pg::transaction& tx, const char* what, const events::event& event) {
        tx.exec("insert into seen (what, key) values ($1, $2)", {what, event.key});
    };
    return {
        .before = [note](pg::transaction& tx, const inbox::context& about) -> result<void> {
            if (about.event.key == "refused") {
                return fail(error_kind::forbidden, "not-here", "asked to refuse");
            }
            note(tx, "before", about.event);
            return {};
        },
        .success = [note](pg::transaction& tx, const inbox::context& about) -> result<void> {
            note(tx, "success", about.event);
            return {};
        },
        .error =
            [note](pg::transaction& tx, const events::event& event, const error&,
                   std::uint32_t attempt) {
                note(tx, ("error " + std::to_string(attempt)).c_str(), event);
            },
        .dead = [note](pg::transaction& tx, const events::event& event,
                       const error&) { note(tx, "dead", event); },
        .after = [&after](const events::event&, inbox::outcome what) { ++after[what]; },
    };
}

texts seen_of(const test::inbox_rig& on, const std::string& key) {
    texts all;
    for (const auto& row :
         on.database.query("select what from seen where key = '" + key + "' order by n")) {
        all.push_back(row[0]);
    }
    return all;
}

} // namespace

TEST_CASE("interceptors see every event, around every handler", "[inbox]") {
    const bool batches = GENERATE(false, true);
    test::inbox_rig on(1);
    on.database.query("create table seen (n bigserial, what text not null, key text not null)");
    std::map<inbox::outcome, int> after;
    auto one = batches ? on.make_batch_instance() : on.make_instance();
    one.consumer().intercept(noting(after));
    on.publish("good", "ok");
    on.publish("later", "fail-2");
    on.publish("never", "invalid");
    on.publish("refused", "ok");
    one.start();
    on.wait_for_effects(2);
    on.wait_for_count("inbox_dead_letter", 2);
    one.stop();
    CHECK(seen_of(on, "good") == texts{"before", "success"});
    CHECK(seen_of(on, "later") == texts{"error 1", "error 2", "before", "success"});
    CHECK(seen_of(on, "never") == texts{"error 1", "dead"});
    CHECK(seen_of(on, "refused") == texts{"error 1", "dead"});
    CHECK(on.effects("refused").empty());
    CHECK(after[inbox::outcome::handled] == 2);
    CHECK(after[inbox::outcome::dead] == 2);
    CHECK(after[inbox::outcome::parked] == 2); // after each failed attempt of "later"
}
