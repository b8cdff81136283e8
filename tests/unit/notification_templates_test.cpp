#include "notification/domain/language.hpp"
#include "notification/rendering/properties.hpp"
#include "notification/rendering/tags.hpp"
#include "notification/rendering/template_set.hpp"
#include "notification/rendering/texts.hpp"
#include "support/environment.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace relais;
using namespace relais::notification;

namespace {

namespace fs = std::filesystem;

const fs::path real_templates = fs::path(test::source_dir()) / "services/notification/templates";

/// A copy of the real templates that a test may spoil.
class copied_templates {
public:
    copied_templates() {
        std::string name = (fs::temp_directory_path() / "relais-templates-XXXXXX").string();
        folder_ = mkdtemp(name.data());
        fs::copy(real_templates, folder_, fs::copy_options::recursive);
    }

    ~copied_templates() {
        fs::remove_all(folder_);
    }

    copied_templates(const copied_templates&) = delete;
    copied_templates& operator=(const copied_templates&) = delete;

    void append(const std::string& file, const std::string& text) const {
        std::ofstream(folder_ / file, std::ios::app) << text;
    }

    void replace(const std::string& file, const std::string& what, const std::string& with) const {
        std::ostringstream content;
        content << std::ifstream(folder_ / file).rdbuf();
        auto text = content.str();
        const auto place = text.find(what);
        REQUIRE(place != std::string::npos);
        text.replace(place, what.size(), with);
        std::ofstream(folder_ / file) << text;
    }

    const fs::path& folder() const {
        return folder_;
    }

    std::string complaint() const {
        try {
            const template_set loaded(folder_);
            return "";
        } catch (const std::runtime_error& refused) {
            return refused.what();
        }
    }

private:
    fs::path folder_;
};

view offer_view(std::string_view language) {
    const auto some = make_sample(3);
    return make_view(*find_kind("offer_made"), language, some.known, some.read,
                     {"Relais", "https://relais.example"});
}

} // namespace

TEST_CASE("the templates we ship are sound", "[notification]") {
    template_set loaded(real_templates);
    CHECK(loaded.version().size() == 16);
    const auto mail = loaded.mail(*find_kind("offer_made"), "nl", offer_view("nl"));
    REQUIRE(mail);
    CHECK(mail->subject == "Nieuwe offerte voor “Repair the roof & gutter”: €\u00a01.250,50");
    CHECK(mail->html.find("<html lang=\"nl\"") != std::string::npos);
    CHECK(mail->html.find("Repair the roof &amp; gutter") != std::string::npos);
    CHECK(mail->html.find("Dag Élise &quot;D&#39;Or&quot; &lt;b&gt;,") != std::string::npos);
    CHECK(mail->text.find("Dag Élise \"D'Or\" <b>,") != std::string::npos);
    CHECK(mail->text.find("https://relais.example/jobs/") != std::string::npos);
    const auto push = loaded.push(*find_kind("offer_made"), "fr", offer_view("fr"));
    REQUIRE(push);
    CHECK(push->title == "Nouveau devis\u202f: 1\u202f250,50\u00a0€");
}

TEST_CASE("plural forms and selections follow the language", "[notification]") {
    std::vector<std::string> problems;
    const texts all(real_templates, problems);
    REQUIRE(problems.empty());
    const auto validity = [&](std::string_view language, std::int64_t hours) {
        return all.format(language, "validate_email.validity", {{"hours", hours}}).value();
    };
    CHECK(validity("nl", 1).starts_with("De link werkt nog één uur en"));
    CHECK(validity("nl", 24).starts_with("De link werkt nog 24 uur en"));
    CHECK(validity("de", 1).starts_with("Der Link ist noch eine Stunde gültig"));
    CHECK(validity("fr", 1).find("encore 1 heure et") != std::string::npos);
    CHECK(validity("fr", 0).find("encore 0 heure et") != std::string::npos); // French: 0 is one
    CHECK(validity("fr", 2).find("encore 2 heures et") != std::string::npos);
    CHECK(validity("fr", 1'000'000).find("d’heures et") != std::string::npos);
    CHECK(validity("en", 2).starts_with("The link works for another 2 hours"));
    const view nameless{{"name", ""}, {"has_name", "no"}};
    CHECK(all.format("en", "common.greeting", nameless) == "Hello,");
    CHECK(all.format("en", "common.greeting", {}).error().slug == "missing-variable");
    CHECK(all.format("en", "common.nothing", {}).error().slug == "unknown-text");
}

TEST_CASE("money the way of the reader", "[notification]") {
    CHECK(format_money({12'500, "EUR"}, "nl") == "€\u00a0125");
    CHECK(format_money({12'550, "EUR"}, "nl") == "€\u00a0125,50");
    CHECK(format_money({12'550, "EUR"}, "fr") == "125,50\u00a0€");
    CHECK(format_money({12'550, "EUR"}, "de") == "125,50\u00a0€");
    CHECK(format_money({12'550, "EUR"}, "en") == "€125.50");
    CHECK(format_money({1'255, "JPY"}, "en") == "¥1,255");
}

TEST_CASE("what is wrong with templates stops the start, all of it named", "[notification]") {
    SECTION("several things at once") {
        const copied_templates spoiled;
        spoiled.append("nl.properties",
                       "\nno equals sign\noffer_made.title = twice\nBad Key = x\n");
        spoiled.append("de.properties", "\ncommon.extra = {hours, plural, one {#}}\n");
        spoiled.replace("fr.properties", "offer_made.intro =", "offer_made.intro2 =");
        const auto said = spoiled.complaint();
        INFO(said);
        CHECK(said.find("nl.properties:") != std::string::npos);
        CHECK(said.find("expected key = text") != std::string::npos);
        CHECK(said.find("offer_made.title is there twice") != std::string::npos);
        CHECK(said.find("a key has only") != std::string::npos);
        CHECK(said.find("common.extra: U_DEFAULT_KEYWORD_MISSING") != std::string::npos);
        CHECK(said.find("nl.properties: common.extra is missing") != std::string::npos);
        CHECK(said.find("fr.properties: offer_made.intro is missing") != std::string::npos);
        CHECK(said.find("text offer_made.intro2 is not used") != std::string::npos);
    }
    SECTION("a variable that the kind does not have") {
        const copied_templates spoiled;
        spoiled.append("validate_email.html.mustache", "{{price}}");
        CHECK(spoiled.complaint().find("validate_email has no variable price") !=
              std::string::npos);
    }
    SECTION("an argument that the kind does not have") {
        const copied_templates spoiled;
        spoiled.replace("en.properties",
                        "validate_email.title = ", "validate_email.title = {job} ");
        CHECK(spoiled.complaint().find(
                  "text validate_email.title: validate_email has no variable job") !=
              std::string::npos);
    }
    SECTION("a text that does not exist") {
        const copied_templates spoiled;
        spoiled.append("layout.txt.mustache", "{{#t}}.nothing{{/t}}");
        CHECK(spoiled.complaint().find("there is no text offer_made.nothing") != std::string::npos);
    }
    SECTION("unescaped values") {
        const copied_templates spoiled;
        spoiled.append("layout.html.mustache", "{{{brand}}}");
        CHECK(spoiled.complaint().find("unescaped values are not allowed") != std::string::npos);
    }
    SECTION("a missing file") {
        const copied_templates spoiled;
        fs::remove(spoiled.folder() / "offer.html.mustache");
        CHECK(spoiled.complaint().find("offer.html.mustache: cannot be read") != std::string::npos);
    }
    SECTION("too much HTML") {
        const copied_templates spoiled;
        spoiled.append("layout.html.mustache", std::string(101 * 1024, 'x'));
        CHECK(spoiled.complaint().find("larger than 100 KB") != std::string::npos);
    }
    SECTION("no folder") {
        CHECK_THROWS_AS(template_set("/nonexistent"), std::runtime_error);
    }
}

TEST_CASE("the version changes with any file", "[notification]") {
    const copied_templates changed;
    const template_set before(changed.folder());
    changed.append("en.properties", "# a comment\n");
    const template_set after(changed.folder());
    CHECK(before.version() != after.version());
}

TEST_CASE("the tags we allow", "[notification]") {
    std::vector<std::string> problems;
    const auto tags = find_tags("a {{ x }}\n{{#t}}.k{{/t}}{{> p}}{{! c }}", "f", problems);
    CHECK(problems.empty());
    REQUIRE(tags.size() == 4);
    CHECK(tags[0].name == "x");
    CHECK(tags[1].what == tag::kind::text);
    CHECK(tags[1].name == ".k");
    CHECK(tags[1].line == 2);
    CHECK(tags[2].name == "p");
    for (const auto* bad : {"{{{x}}}", "{{&x}}", "{{#x}}{{/x}}", "{{^x}}{{/x}}", "{{=<% %>=}}",
                            "{{x", "{{#t}}x", "{{}}"}) {
        problems.clear();
        find_tags(bad, "f", problems);
        CAPTURE(bad);
        CHECK_FALSE(problems.empty());
    }
}

TEST_CASE("what people typed stays on one line and within bounds", "[notification]") {
    auto some = make_sample(1);
    some.read.display_name = "Eve\r\nBcc: everybody";
    some.read.job_title = std::string(118, 'x') + "€€€";
    const auto values = make_view(*find_kind("offer_made"), "en", some.known, some.read, {});
    CHECK(std::get<std::string>(values.at("name")) == "Eve  Bcc: everybody");
    CHECK(std::get<std::string>(values.at("job_title")) == std::string(118, 'x') + "…");
}
