#include "mailing-list-sync/domain/sync_decision.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::mailing_list_sync;
using namespace std::chrono_literals;

namespace {

constexpr timestamp noon{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};

const contact ann{"account", "ann@example.be", true, "Ann", "nl-BE", false};
const shadow ann_there{true, "ann@example.be", "Ann", "nl", {"newsletter", "newsletter nl"}};
const std::vector<consent_event> yes{{consent_kind::granted, noon}};
const std::vector<consent_event> no{{consent_kind::granted, noon},
                                    {consent_kind::withdrawn, noon + 1h}};
using what = sync_plan::kind;

} // namespace

TEST_CASE("somebody who opted in and is validated is put on the list", "[mailing-list-sync]") {
    const auto decision = decide(ann, yes, {});
    CHECK(decision.plan.what == what::create);
    CHECK(decision.plan.add_to == std::set<std::string>{"newsletter", "newsletter nl"});
    CHECK(decision.joins);
    CHECK(decision.how() == urgency::sign_up);
}

TEST_CASE("nobody unknown there is made known without belonging", "[mailing-list-sync]") {
    contact not_validated = ann;
    not_validated.email_validated = false;
    CHECK(decide(not_validated, yes, {}).plan.what == what::nothing);
    CHECK(decide(ann, no, {}).plan.what == what::nothing);
    CHECK(decide(ann, {}, {}).plan.what == what::nothing);
}

TEST_CASE("an opt-out takes the person off, at the highest urgency", "[mailing-list-sync]") {
    const auto decision = decide(ann, no, ann_there);
    CHECK(decision.plan.what == what::update);
    CHECK(decision.plan.remove_from == ann_there.lists);
    CHECK(decision.plan.add_to.empty());
    CHECK(decision.leaves);
    CHECK(decision.how() == urgency::opt_out);
    CHECK_FALSE(decision.lift_block);
}

TEST_CASE("what is equal already needs no call", "[mailing-list-sync]") {
    CHECK(decide(ann, yes, ann_there).plan.what == what::nothing);
}

TEST_CASE("a new language moves the person between the lists", "[mailing-list-sync]") {
    contact french = ann;
    french.locale = "fr";
    const auto decision = decide(french, yes, ann_there);
    CHECK(decision.plan.add_to == std::set<std::string>{"newsletter fr"});
    CHECK(decision.plan.remove_from == std::set<std::string>{"newsletter nl"});
    CHECK(decision.how() == urgency::edit);
    CHECK_FALSE(decision.joins);
}

TEST_CASE("a new address alone is an edit", "[mailing-list-sync]") {
    contact moved = ann;
    moved.email = "ann@example.com";
    const auto decision = decide(moved, yes, ann_there);
    CHECK(decision.plan.what == what::update);
    CHECK(decision.plan.add_to.empty());
    CHECK(decision.how() == urgency::edit);
}

TEST_CASE("erasure removes the person there", "[mailing-list-sync]") {
    contact gone = ann;
    gone.erased = true;
    const auto decision = decide(gone, yes, ann_there);
    CHECK(decision.plan.what == what::remove);
    CHECK(decision.how() == urgency::opt_out);
    CHECK(decide(gone, yes, {}).plan.what == what::nothing);
}

TEST_CASE("only a newer yes after an opt-out there lifts the block", "[mailing-list-sync]") {
    shadow off_lists = ann_there;
    off_lists.lists.clear();
    const std::vector<consent_event> back{{consent_kind::granted, noon},
                                          {consent_kind::provider_opt_out, noon + 1h},
                                          {consent_kind::granted, noon + 5h}};
    CHECK(decide(ann, back, off_lists).lift_block);
    CHECK_FALSE(decide(ann, yes, off_lists).lift_block);
}

TEST_CASE("languages we do not write in count as English", "[mailing-list-sync]") {
    CHECK(base_locale("nl-BE") == "nl");
    CHECK(base_locale("de") == "de");
    CHECK(base_locale("pt-BR") == "en");
    CHECK(base_locale("") == "en");
}
