#include "clock/rfc3339.hpp"
#include "upload/domain/magic.hpp"
#include "upload/domain/object_key.hpp"
#include "upload/domain/upload.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::upload;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr auto some_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

} // namespace

TEST_CASE("upload states: every pair", "[upload]") {
    constexpr std::array all{upload_state::granted, upload_state::uploaded, upload_state::verifying,
                             upload_state::ready,   upload_state::rejected, upload_state::expired};
    const std::set<std::pair<upload_state, upload_state>> allowed{
        {upload_state::granted, upload_state::uploaded},
        {upload_state::granted, upload_state::expired},
        {upload_state::uploaded, upload_state::verifying},
        {upload_state::verifying, upload_state::ready},
        {upload_state::verifying, upload_state::rejected}};
    for (const auto from : all) {
        for (const auto to : all) {
            CAPTURE(to_string(from), to_string(to));
            CHECK(may_follow(from, to) == allowed.contains({from, to}));
        }
        CHECK(parse_upload_state(to_string(from)) == from);
    }
    CHECK_FALSE(parse_upload_state("quarantined"));
    CHECK(is_final(upload_state::ready));
    CHECK(is_final(upload_state::rejected));
    CHECK(is_final(upload_state::expired));
    CHECK_FALSE(is_final(upload_state::granted));
}

TEST_CASE("upload: the type that first bytes say", "[upload]") {
    const std::vector<std::pair<std::string_view, std::string_view>> table{
        {"\xff\xd8\xff\xe0 and more"sv, "image/jpeg"},
        {"\xff\xd8\xff"sv, "image/jpeg"},
        {"\xff\xd8"sv, ""},
        {"\x89PNG\r\n\x1a\n and more"sv, "image/png"},
        {"\x89PNG\n\x1a\n\n"sv, ""}, // went through a text conversion
        {"GIF87a"sv, "image/gif"},
        {"GIF89a and more"sv, "image/gif"},
        {"GIF88a"sv, ""},
        {"RIFF\x10\0\0\0WEBPVP8 "sv, "image/webp"},
        {"RIFF\x10\0\0\0WAVEfmt "sv, ""},
        {"RIFF\x10\0\0\0WEB"sv, ""},
        {"\0\0\0\x1c"
         "ftypavif"sv,
         ""},
        {"%PDF-1.7"sv, ""},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"sv, ""},
        {"<?xml version=\"1.0\"?><svg/>"sv, ""},
        {"BM\x36\0"sv, ""},
        {"II*\0"sv, ""},
        {" \xff\xd8\xff"sv, ""},
        {""sv, ""},
    };
    for (const auto& [bytes, type] : table) {
        CAPTURE(bytes);
        CHECK(content_type_of(bytes) == type);
    }
}

TEST_CASE("upload: a file that is two things", "[upload]") {
    const auto picture = "\xff\xd8\xff\xe0"s + std::string(3000, 'x');
    const auto zip_end = "PK\x05\x06"s + std::string(16, '\0');

    struct row {
        std::string bytes;
        bool is_something_else;
    };

    const std::vector<row> table{
        {picture, false},
        {"\xff\xd8\xff\xfe\x00\x10%PDF-1.7\n"s + picture, true},
        {"\xff\xd8\xff\xfe\x00\x10<ScRiPt>x()</script>"s + picture, true},
        {"GIF89a<!DOCTYPE html>"s + picture, true},
        {picture + "%PDF-1.7", false}, // nobody looks that far
        {picture + zip_end + "\0\0"s, true},
        {picture + zip_end + "\x03\0"s + "abc", true}, // with a comment
        {picture + zip_end + "\x03\0"s + "abcd", false},
        {picture + "PK\x05\x06", false},
        {picture + zip_end + "\xff\xff"s + std::string(65535, 'c'), true},
        {picture + picture, false}, // cameras append a second one
        {"", false},
    };
    for (const auto& [bytes, is_something_else] : table) {
        CAPTURE(bytes.substr(0, 40), bytes.size());
        CHECK(is_something_else_too(bytes) == is_something_else);
    }
    const announced_file announced{"image/jpeg", table[1].bytes.size(), ""};
    CHECK(reason_against(announced, table[1].bytes, some_sha256) == "polyglot");
}

TEST_CASE("upload: purposes are complete", "[upload]") {
    std::set<std::string> recipes;
    for (const auto& each : all_purposes()) {
        CAPTURE(each.name);
        CHECK(find_purpose(each.name) == &each);
        CHECK_FALSE(each.content_types.empty());
        CHECK(each.size_max > 0);
        CHECK(each.size_max < picture_max_bytes);
        CHECK(each.recipe.pixels_max > 0);
        CHECK(std::ranges::is_sorted(each.recipe.sizes));
        CHECK(recipes.insert(each.recipe_name).second);
    }
    CHECK(find_purpose("passport") == nullptr);
    CHECK(find_purpose("avatar")->size_max == 10 * 1024 * 1024);
    CHECK(find_purpose("avatar")->recipe.square);
}

TEST_CASE("upload: what may be announced", "[upload]") {
    const auto& avatar = *find_purpose("avatar");
    const auto slug = [&](announced_file file) {
        const auto problems = check_announcement(avatar, file);
        return problems.empty() ? "" : problems.front().slug + problems.front().pointer;
    };
    CHECK(slug({"image/jpeg", 1, ""}).empty());
    CHECK(slug({"image/jpeg", avatar.size_max, some_sha256}).empty());
    CHECK(slug({"image/jpeg", avatar.size_max + 1, ""}) == "file-too-large/size_bytes");
    CHECK(slug({"image/svg+xml", 1, ""}) == "unsupported-type/content_type");
    CHECK(slug({"IMAGE/JPEG", 1, ""}) == "unsupported-type/content_type");
    CHECK(slug({"image/png", 1, "E3B0"}) == "invalid-sha256/sha256");
    CHECK(slug({"image/png", 1, std::string(64, 'g')}) == "invalid-sha256/sha256");
    CHECK(check_announcement(avatar, {"text/html", avatar.size_max + 1, "no"}).size() == 3);
}

TEST_CASE("upload: what the bytes say against it", "[upload]") {
    const std::string jpeg = "\xff\xd8\xff and so on";
    const announced_file announced{"image/jpeg", jpeg.size(), some_sha256};
    CHECK(reason_against(announced, jpeg, some_sha256).empty());
    CHECK(reason_against(announced, "", some_sha256) == "empty");
    CHECK(reason_against(announced, jpeg + "x", some_sha256) == "wrong-size");
    CHECK(reason_against(announced, jpeg, std::string(64, '0')) == "wrong-checksum");
    CHECK(reason_against({"image/png", jpeg.size(), ""}, jpeg, some_sha256) == "type-mismatch");
    CHECK(reason_against({"image/png", 6, ""}, "<svg/>", some_sha256) == "not-an-image");
}

TEST_CASE("upload: keys", "[upload]") {
    const auto id = *upload_id::parse("0192f0c1-2345-7abc-8def-0123456789ab");
    const auto key = staging_key(id, *parse_rfc3339("2026-11-23T23:59:59Z"));
    CHECK(key == "staging/2026-11-23/0192f0c1-2345-7abc-8def-0123456789ab");
    CHECK(upload_of_staging_key(key) == id);
    for (const auto other :
         {"", "staging/", "staging/2026-11-23", "staging/2026-11-23/", "staging/2026-11-23/x",
          "v/e3/e3b0/avatar1-64.webp", "other/2026-11-23/0192f0c1-2345-7abc-8def-0123456789ab"}) {
        CAPTURE(other);
        CHECK_FALSE(upload_of_staging_key(other));
    }
    CHECK(variant_key(some_sha256, "avatar1", 64) ==
          "v/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/avatar1-64.webp");
}

TEST_CASE("upload states: what an upload waits for", "[upload]") {
    using work = std::optional<open_work>;
    CHECK(waits_for(upload_state::granted, std::nullopt) == "file");
    CHECK(waits_for(upload_state::granted, work(open_work{})) == "processing");
    CHECK(waits_for(upload_state::granted, work({"objectstore-timeout"})) == "object-store");
    CHECK(waits_for(upload_state::verifying, work({"objectstore-unavailable"})) == "object-store");
    CHECK(waits_for(upload_state::verifying, work({"picture-worker-crashed"})) == "processing");
    CHECK(waits_for(upload_state::uploaded, std::nullopt) == "processing");
    for (const auto last : {upload_state::ready, upload_state::rejected, upload_state::expired}) {
        CHECK(waits_for(last, work({"objectstore-timeout"})) == "");
    }
}
