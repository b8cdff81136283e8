#include "support/upload_rig.hpp"

#include <catch2/catch_test_macros.hpp>

#include <thread>

using namespace relais;
using namespace relais::test;

namespace {

constexpr auto small = R"({"purpose":"avatar","content_type":"image/png","size_bytes":100})";

std::string id_in(const http::response& answer) {
    REQUIRE(answer.status == 201);
    return std::string(boost::json::parse(answer.body).at("id").as_string());
}

std::string slug_in(const http::response& answer) {
    const auto type = std::string(boost::json::parse(answer.body).at("type").as_string());
    return fmt::format("{} {}", answer.status, type.substr(type.rfind('/') + 1));
}

} // namespace

TEST_CASE("upload: nobody learns of others' uploads", "[upload][access]") {
    upload_rig rig;
    const auto id = id_in(rig.call(upload::create_upload, small));
    const auto other = account_id::make();
    CHECK(rig.call(upload::show_upload, "", id).status == 200);
    for (const auto handle : {upload::show_upload, upload::complete_upload}) {
        CHECK(slug_in(rig.call_as(other, handle, "", id)) == "404 no-such-upload");
        CHECK(slug_in(rig.call(handle, "", upload_id::make().text())) == "404 no-such-upload");
        CHECK(slug_in(rig.call(handle, "", "no-id")) == "404 no-such-upload");
    }
    CHECK(query(rig.database_url, "SELECT 1 FROM upload_work").empty());
}

TEST_CASE("upload: what a grant is refused for", "[upload][access]") {
    upload_rig rig;
    const std::vector<std::pair<std::string, int>> table{
        {"", 400},
        {"[]", 400},
        {R"({"purpose":"avatar","content_type":"image/png"})", 422},
        {R"({"purpose":"passport","content_type":"image/png","size_bytes":1})", 422},
        {R"({"purpose":"avatar","content_type":"image/svg+xml","size_bytes":1})", 422},
        {R"({"purpose":"avatar","content_type":"image/png","size_bytes":0})", 422},
        {R"({"purpose":"avatar","content_type":"image/png","size_bytes":-1})", 422},
        {R"({"purpose":"avatar","content_type":"image/png","size_bytes":1.5})", 422},
        {R"({"purpose":"avatar","content_type":"image/png","size_bytes":10485761})", 413},
        {R"({"purpose":"avatar","content_type":"image/png","size_bytes":1,"sha256":"x"})", 422},
        {R"({"purpose":"avatar","content_type":"image/png","size_bytes":1,"more":1})", 422},
    };
    for (const auto& [body, status] : table) {
        CAPTURE(body);
        CHECK(rig.call(upload::create_upload, body).status == status);
    }
    CHECK(query(rig.database_url, "SELECT 1 FROM upload").empty());
    CHECK(query(rig.database_url, "SELECT 1 FROM timer").empty());
}

TEST_CASE("upload: a repeat gets the first answer", "[upload][access]") {
    upload_rig rig;
    const auto first = rig.call(upload::create_upload, small, "", "key-1");
    const auto again = rig.call(upload::create_upload, small, "", "key-1");
    CHECK(id_in(first) == id_in(again));
    CHECK(first.body == again.body);
    CHECK(again.headers.find("Idempotent-Replayed") == "true");
    CHECK(again.headers.find("Location") == first.headers.find("Location"));
    CHECK(slug_in(rig.call(upload::create_upload,
                           R"({"purpose":"avatar","content_type":"image/png","size_bytes":99})", "",
                           "key-1")) == "422 idempotency-key-reused");
    const auto other = rig.call_as(account_id::make(), upload::create_upload, small, "", "key-1");
    CHECK(id_in(other) != id_in(first));
    CHECK(rig.events("UploadGranted") == "2");
}

TEST_CASE("upload: unfinished uploads are counted, also at once", "[upload][access]") {
    upload_rig rig({.open_uploads_max = 3});
    std::atomic<int> granted{0};
    std::vector<std::thread> clients;
    upload_rig beside({.database_url = rig.database_url, .open_uploads_max = 3});
    beside.account = rig.account;
    for (upload_rig* each : {&rig, &beside}) {
        clients.emplace_back([each, &granted] {
            for (int i = 0; i < 4; ++i) {
                granted += each->call(upload::create_upload, small).status == 201 ? 1 : 0;
            }
        });
    }
    for (auto& each : clients) {
        each.join();
    }
    CHECK(granted == 3);
    CHECK(slug_in(rig.call(upload::create_upload, small)) == "429 too-many-open-uploads");
    CHECK(rig.call_as(account_id::make(), upload::create_upload, small).status == 201);
}

TEST_CASE("upload: messages of the store", "[upload][access]") {
    upload_rig rig;
    CHECK(rig.call(upload::note_objects, R"({"Records":[]})").status == 204);
    CHECK(rig.call(upload::note_objects, "no JSON").status == 204);
    const metrics::labels malformed{{"outcome", "malformed"}};
    CHECK(rig.metrics.counter("upload_object_events_total", "", malformed).value() == 1);
    rig.event_token = "another";
    CHECK(slug_in(rig.call(upload::note_objects, R"({"Records":[]})")) == "401 invalid-token");
    rig.event_token = "";
    CHECK(slug_in(rig.call(upload::note_objects, R"({"Records":[]})")) == "401 invalid-token");
}
