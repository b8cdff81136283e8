#include "http/json_reader.hpp"
#include "http/json_writer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <string>
#include <vector>

using namespace relais;
using http::json_reader;
using http::json_writer;

namespace {

using findings = std::vector<std::pair<std::string, std::string>>; // slug, pointer

findings told(const json_reader& reader) {
    findings out;
    for (const auto& each : reader.finish()) {
        out.emplace_back(each.slug, each.pointer);
    }
    return out;
}

findings told_of(const std::string& text) {
    const json_reader reader(text);
    reader.optional_integer("n", 0, 100);
    reader.optional_text("t", {1, 5});
    return told(reader);
}

} // namespace

TEST_CASE("a good document gives its values", "[http][json]") {
    const json_reader body(R"({"email":"a@b","budget":{"amount":12,"ok":true},"opt":null,
        "list":["x","y"],"items":[{"id":"1"},{"id":"2"}],"big":9223372036854775807})");
    CHECK(body.text("email", {1, 254}) == "a@b");
    const auto budget = body.object("budget");
    CHECK(budget.integer("amount", 0, 100) == 12);
    CHECK(budget.boolean("ok"));
    CHECK_FALSE(body.optional_text("opt", {1, 5}));
    CHECK_FALSE(body.optional_object("none"));
    CHECK(body.texts("list", 5, {1, 5}) == std::vector<std::string>{"x", "y"});
    const auto items = body.objects("items", 5);
    REQUIRE(items.size() == 2);
    CHECK(items[0].text("id", {1, 5}) == "1");
    CHECK(items[1].text("id", {1, 5}) == "2");
    CHECK(body.integer("big", 0, std::numeric_limits<std::int64_t>::max()) ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(told(body) == findings{});
}

TEST_CASE("what is wrong with a document", "[http][json]") {
    const std::string deep_object = [] {
        std::string text;
        for (int i = 0; i < 17; ++i) {
            text += R"({"a":)";
        }
        return text;
    }();
    std::string wide = "{";
    for (int i = 0; i < 257; ++i) {
        wide += (i > 0 ? "," : "") + ("\"k" + std::to_string(i)) + "\":1";
    }
    const findings no_json{{"malformed-json", ""}};
    CHECK(told_of("") == no_json);
    CHECK(told_of("{") == no_json);
    CHECK(told_of("[]") == no_json);
    CHECK(told_of("\"x\"") == no_json);
    CHECK(told_of("{} x") == no_json);
    CHECK(told_of("{\"n\":1,}") == no_json);
    CHECK(told_of("{'n':1}") == no_json);
    CHECK(told_of("{\"n\":01}") == no_json);
    CHECK(told_of("{\"n\":NaN}") == no_json);
    CHECK(told_of("/* x */{}") == no_json);
    CHECK(told_of("\xef\xbb\xbf{}") == no_json);
    CHECK(told_of("{\"t\":\"\xc3\x28\"}") == no_json);
    CHECK(told_of("{\"t\":\"\xed\xa0\x80\"}") == no_json);
    CHECK(told_of("{\"t\":\"\\ud800\"}") == no_json);
    CHECK(told_of("{\"t\":\"a\nb\"}") == no_json);
    CHECK(told_of(wide + "}").front().first == "malformed-json");
    CHECK(told_of(deep_object).front().first == "malformed-json");
    CHECK(told_of("{\"a\":{\"b\":x}}") == findings{{"malformed-json", "/a"}});

    CHECK(told_of(R"({"t":"a\u0000b"})") == findings{{"invalid-text", "/t"}});
    CHECK(told_of(R"({"n":1,"n":2})") == findings{{"duplicate-member", "/n"}});
    CHECK(told_of(R"({"x/y~z":1})") == findings{{"unknown-member", "/x~1y~0z"}});
    CHECK(told_of(R"({"n":"1"})") == findings{{"wrong-type", "/n"}});
    CHECK(told_of(R"({"n":1.5})") == findings{{"out-of-range", "/n"}});
    CHECK(told_of(R"({"n":1e400})").front().first != "");
    CHECK(told_of(R"({"n":99999999999999999999})") == findings{{"out-of-range", "/n"}});
    CHECK(told_of(R"({"n":9223372036854775808})") == findings{{"out-of-range", "/n"}});
    CHECK(told_of(R"({"n":101})") == findings{{"out-of-range", "/n"}});
    CHECK(told_of(R"({"t":""})") == findings{{"too-short", "/t"}});
    CHECK(told_of(R"({"t":"123456"})") == findings{{"too-long", "/t"}});
    CHECK(told_of("{\"t\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}").empty());
}

TEST_CASE("all problems are told, each with its pointer", "[http][json]") {
    const json_reader body(
        R"({"budget":{"amount":"x","more":1},"list":["",5],"items":[1],"word":"c"})");
    body.text("email", {1, 254});
    body.object("budget").integer("amount", 0, 100);
    body.object("missing").integer("inside", 0, 100);
    body.texts("list", 5, {1, 5});
    body.objects("items", 5);
    body.choice("word", {"a", "b"});
    body.problem("word", "not-today", "why");
    CHECK(told(body) == findings{{"missing-member", "/email"},
                                 {"wrong-type", "/budget/amount"},
                                 {"missing-member", "/missing"},
                                 {"too-short", "/list/0"},
                                 {"wrong-type", "/list/1"},
                                 {"wrong-type", "/items/0"},
                                 {"unknown-value", "/word"},
                                 {"not-today", "/word"},
                                 {"unknown-member", "/budget/more"}});
}

TEST_CASE("a provider may say more than we ask", "[http][json]") {
    const json_reader body(R"({"id":"1","more":{"x":1},"inner":{"known":1,"unknown":2}})");
    body.allow_unknown();
    body.text("id", {1, 5});
    body.object("inner").integer("known", 0, 5);
    CHECK(body.finish().empty());
}

TEST_CASE("written JSON is well-formed", "[http][json]") {
    json_writer json;
    json.begin_object().member("text", "a\"\n").member("n", -5).member("yes", true);
    json.member("half", 0.5).member("none", std::numeric_limits<double>::infinity());
    json.begin_array("list").element("x").element(7).begin_object().end_object().end_array();
    json.begin_object("in").null_member("z").raw_member("raw", "[1]").end_object();
    json.member("time", timestamp(std::chrono::seconds(0))).end_object();
    CHECK(json.take() == R"({"text":"a\"\n","n":-5,"yes":true,"half":0.5,"none":null,)"
                         R"("list":["x",7,{}],"in":{"z":null,"raw":[1]},)"
                         R"("time":"1970-01-01T00:00:00.000000Z"})");
}
