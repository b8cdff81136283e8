#include "support/upload_rig.hpp"
#include "upload/picture/webp.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::test;

namespace {

std::string id_of(const boost::json::object& grant) {
    return std::string(grant.at("id").as_string());
}

std::string key_in(const boost::json::object& grant) {
    return std::string(grant.at("post").at("fields").at("key").as_string());
}

boost::json::object shown(upload_rig& rig, const std::string& id) {
    const auto answer = rig.call(upload::show_upload, "", id);
    REQUIRE(answer.status == 200);
    return boost::json::parse(answer.body).as_object();
}

/// Puts the bytes where a grant allows others, past what the store enforces.
std::string verdict_on(upload_rig& rig, const std::string& content, const std::string& type,
                       const std::string& announced) {
    const auto grant = rig.grant(announced, type);
    REQUIRE(await_on(rig.loop, rig.objects.put(rig.staging, key_in(grant), content, type, false)));
    rig.complete(id_of(grant));
    rig.wait_until_idle();
    CHECK_FALSE(await_on(rig.loop, rig.objects.head(rig.staging, key_in(grant))));
    return rig.state(id_of(grant)) == "rejected" ? rig.reason(id_of(grant))
                                                 : rig.state(id_of(grant));
}

} // namespace

TEST_CASE("upload: from grant to variants", "[upload][flow]") {
    upload_rig rig;
    const auto content = picture("jpeg-gps");
    const auto grant = rig.grant(content, "image/jpeg");
    const auto id = id_of(grant);
    CHECK(grant.at("state") == "granted");
    CHECK(rig.events("UploadGranted") == "1");
    CHECK(rig.put(grant, content) == 200);
    rig.complete(id);
    rig.complete(id);
    rig.wait_for_state(id, "ready");
    rig.wait_until_idle();

    const auto seen = shown(rig, id);
    const auto& variants = seen.at("variants").as_array();
    REQUIRE(variants.size() == 2);
    const std::string base = "https://media.example/";
    for (const auto& each : variants) {
        const auto url = std::string(each.at("url").as_string());
        REQUIRE(url.starts_with(base + "v/"));
        const auto bytes =
            await_on(rig.loop, rig.objects.get(rig.media, url.substr(base.size()), 1'000'000));
        REQUIRE(bytes);
        CHECK(upload::is_bare_webp(*bytes));
    }
    CHECK(variants[0].at("width").to_number<int>() == 64);
    CHECK(rig.events("AssetReady") == "1");
    CHECK_FALSE(await_on(rig.loop, rig.objects.head(rig.staging, key_in(grant))));
    CHECK(query(rig.database_url, "SELECT 1 FROM timer").empty());
    rig.complete(id); // too late to matter, still an answer
    CHECK(rig.state(id) == "ready");
}

TEST_CASE("upload: a form post and the store's event, before and twice", "[upload][flow]") {
    upload_rig rig;
    const auto content = picture("png-alpha");
    const auto grant = rig.grant(content, "image/png");
    rig.tell_object(key_in(grant)); // before there is anything: the store's HEAD decides
    rig.wait_until_idle();
    CHECK(rig.state(id_of(grant)) == "granted");
    CHECK(rig.post(grant, content) == 201);
    rig.tell_object(key_in(grant));
    rig.tell_object(key_in(grant));
    rig.wait_for_state(id_of(grant), "ready");
    rig.tell_object(key_in(grant)); // afterwards
    rig.wait_until_idle();
    CHECK(rig.events("AssetReady") == "1");
    rig.tell_object("staging/2026-01-01/" + upload_id::make().text()); // of nobody
    rig.tell_object("something/else");
    rig.wait_until_idle();
}

TEST_CASE("upload: what the store refuses", "[upload][flow][policy]") {
    upload_rig rig;
    const auto content = picture("jpeg-small");
    const auto grant = rig.grant(content, "image/jpeg");
    CHECK(rig.put(grant, content + "x") == 403);
    CHECK(rig.put(grant, content.substr(1)) == 403);
    CHECK(rig.put(grant, content,
                  [](auto& call) { call.headers.set("content-type", "text/html"); }) == 403);
    CHECK(rig.put(grant, content, [](auto& call) { call.headers.remove("if-none-match"); }) == 403);
    CHECK(rig.put(grant, content,
                  [](auto& call) { call.target.insert(call.target.find('?'), "x"); }) == 403);
    using fields = boost::json::object;
    const auto post_status = [&](const std::string& sent,
                                 const std::function<void(fields&)>& change) {
        return rig.post(grant, sent, change);
    };
    CHECK(post_status(content + "x", {}) == 400); // EntityTooLarge
    CHECK(post_status(content.substr(1), {}) == 400);
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{"content-type", "text/html"},
                                                          {"key", "staging/other"},
                                                          {"x-amz-signature", std::string(64, '0')},
                                                          {"policy", "e30="},
                                                          {"x-amz-meta-more", "not in the policy"},
                                                          {"acl", "public-read"}}) {
        CAPTURE(name);
        const auto status = post_status(content, [&](fields& form) { form[name] = value; });
        CHECK((status == 400 || status == 403));
    }
    CHECK(rig.put(grant, content) == 200);
    CHECK(rig.put(grant, content) == 412); // once only
    CHECK(rig.state(id_of(grant)) == "granted");
}

TEST_CASE("upload: a grant that ran out", "[upload][flow][policy]") {
    upload_rig rig;
    const auto content = picture("jpeg-small");
    rig.time.advance(std::chrono::seconds(-120)); // of a minute, two minutes ago
    const auto grant = rig.grant(content, "image/jpeg");
    rig.time.advance(std::chrono::seconds(60));
    CHECK(rig.put(grant, content) == 403);
    CHECK(rig.post(grant, content) == 403);
    CHECK(rig.events("UploadExpired") == "0"); // it has a little grace
    rig.time.advance(std::chrono::seconds(60));
    rig.wait_for_state(id_of(grant), "expired");
    rig.wait_until_idle();
    CHECK(rig.events("UploadExpired") == "1");
    CHECK(rig.call(upload::complete_upload, "", id_of(grant)).status == 409);
}

TEST_CASE("upload: nobody told, and it is found", "[upload][flow]") {
    upload_rig rig;
    const auto content = picture("jpeg-small");
    const auto grant = rig.grant(content, "image/jpeg");
    CHECK(rig.put(grant, content) == 200);
    rig.time.advance(std::chrono::seconds(120));
    rig.wait_for_state(id_of(grant), "ready");
    CHECK(rig.metrics.counter("upload_events_missed_total", "").value() == 1);
    CHECK(rig.events("UploadExpired") == "0");
}

TEST_CASE("upload: what verification refuses", "[upload][flow]") {
    upload_rig rig;
    const auto jpeg = picture("jpeg-small");
    const auto png = picture("png-alpha");
    const std::string svg = R"(<svg xmlns="http://www.w3.org/2000/svg"/>)";
    CHECK(verdict_on(rig, jpeg, "image/jpeg", jpeg) == "ready");
    CHECK(verdict_on(rig, jpeg + "x", "image/jpeg", jpeg) == "wrong-size");
    CHECK(verdict_on(rig, "", "image/jpeg", jpeg) == "empty");
    CHECK(verdict_on(rig, svg, "image/png", svg) == "not-an-image");
    CHECK(verdict_on(rig, "%PDF-1.7 and so on", "image/jpeg", "%PDF-1.7 and so on") ==
          "not-an-image");
    CHECK(verdict_on(rig, png, "image/jpeg", png) == "type-mismatch");
    const auto truncated = picture("jpeg-truncated");
    CHECK(verdict_on(rig, truncated, "image/jpeg", truncated) == "undecodable");
    const auto bomb = picture("png-50k");
    CHECK(verdict_on(rig, bomb, "image/png", bomb) == "too-many-pixels");
    CHECK(rig.events("UploadRejected") == "7");
    CHECK(rig.events("AssetReady") == "1");
}

TEST_CASE("upload: exactly the largest size, and one byte more", "[upload][flow]") {
    upload_rig rig;
    const auto size_max = upload::find_purpose("avatar")->size_max;
    auto largest = picture("jpeg-small");
    largest.resize(size_max, '\0'); // what comes after a JPEG's end is nothing
    CHECK(verdict_on(rig, largest, "image/jpeg", largest) == "ready");
    CHECK(verdict_on(rig, largest + "x", "image/jpeg", largest) == "wrong-size");
    const auto refused = rig.call(
        upload::create_upload,
        fmt::format(R"({{"purpose":"avatar","content_type":"image/jpeg","size_bytes":{}}})",
                    size_max + 1));
    CHECK(refused.status == 413);
}

TEST_CASE("upload: a wrong checksum", "[upload][flow]") {
    upload_rig rig;
    const auto content = picture("jpeg-small");
    const auto granted =
        rig.call(upload::create_upload,
                 fmt::format(R"({{"purpose":"avatar","content_type":"image/jpeg","size_bytes":{},)"
                             R"("sha256":"{}"}})",
                             content.size(), std::string(64, 'a')));
    REQUIRE(granted.status == 201);
    const auto grant = boost::json::parse(granted.body).as_object();
    CHECK(rig.put(grant, content) == 200);
    rig.complete(id_of(grant));
    rig.wait_for_state(id_of(grant), "rejected");
    CHECK(shown(rig, id_of(grant)).at("reason") == "wrong-checksum");
}
