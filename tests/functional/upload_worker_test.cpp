#include "support/upload_pictures.hpp"
#include "upload/picture/webp.hpp"

#include <csignal>

using namespace relais;
using namespace relais::test;

namespace {

std::string sizes_of(const upload::picture_answer& answer) {
    std::string out;
    for (const auto& each : answer.variants) {
        out += fmt::format("{}:{}x{} ", each.size, each.width, each.height);
    }
    return out;
}

} // namespace

TEST_CASE("picture worker: what it makes of pictures", "[upload][worker]") {
    struct row {
        std::string name;
        std::string type;
        std::string sizes; // or empty
        std::string reason;
    };

    const std::string all = "64:64x64 256:256x256 512:512x512 ";
    const std::vector<row> table{
        {"jpeg", "image/jpeg", all, ""},
        {"jpeg-progressive", "image/jpeg", all, ""},
        {"jpeg-grey", "image/jpeg", "64:64x64 256:200x200 ", ""},
        {"jpeg-cmyk", "image/jpeg", "64:64x64 256:256x256 512:300x300 ", ""},
        {"jpeg-broken-profile", "image/jpeg", "64:64x64 256:256x256 512:300x300 ", ""},
        {"jpeg-small", "image/jpeg", "64:64x64 256:80x80 ", ""},
        {"png", "image/png", all, ""},
        {"png-16bit", "image/png", "64:64x64 256:256x256 512:300x300 ", ""},
        {"png-alpha", "image/png", "64:64x64 256:256x256 512:300x300 ", ""},
        {"webp", "image/webp", all, ""},
        {"gif-animated", "image/gif", "64:64x64 256:90x90 ", ""}, // its first frame
        {"jpeg-truncated", "image/jpeg", "", "undecodable"},
        {"png-cut", "image/png", "", "undecodable"},
        {"png-50k", "image/png", "", "too-many-pixels"},
        {"gif-10k-frames", "image/gif", "", "too-many-frames"},
        {"png", "image/jpeg", "", "undecodable"},
        {"jpeg", "image/avif", "", "type-mismatch"},
    };
    for (const auto& [name, type, sizes, reason] : table) {
        CAPTURE(name, type);
        const auto run = run_worker(picture(name), type);
        REQUIRE(run.understood);
        CHECK(run.status == 0);
        CHECK(run.answer.reason == reason);
        CHECK(sizes_of(run.answer) == sizes);
        for (const auto& each : run.answer.variants) {
            CHECK(upload::is_bare_webp(each.webp));
        }
    }
}

TEST_CASE("picture worker: other formats in disguise", "[upload][worker]") {
    const std::vector<std::string> texts{
        "",
        "x",
        R"(<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>)",
        "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF",
        std::string(100'000, '\0'),
        "#!/bin/sh\n",
        std::string("II*\0\x08\0\0\0", 8),
        "P3 1 1 255 0 0 0"};
    for (const auto& text : texts) {
        for (const std::string type : {"image/jpeg", "image/png", "image/webp", "image/gif"}) {
            CAPTURE(text.substr(0, 20), type);
            const auto run = run_worker(text, type);
            REQUIRE(run.understood);
            CHECK(run.answer.reason == "undecodable");
        }
    }
}

TEST_CASE("picture worker: upright, in sRGB, without metadata", "[upload][worker]") {
    const auto original = picture("jpeg-gps");
    REQUIRE(original.find("Secret Camera") != std::string::npos);
    const auto turned = run_worker(original, "image/jpeg");
    REQUIRE(turned.understood);
    const auto& variant = turned.answer.variants.back();
    CHECK(variant.webp.find("Secret") == std::string::npos);
    // The red corner was upper left; a quarter turn clockwise brings it to the upper right.
    int red = 0;
    int green = 0;
    int blue = 0;
    const auto seen = inspected(variant.webp);
    INFO(seen);
    CHECK(seen.find("exif=false icc=false xmp=false") != std::string::npos);
    const auto corner = seen.find("top_right=");
    REQUIRE(std::sscanf(seen.c_str() + corner, "top_right=%d,%d,%d", &red, &green, &blue) == 3);
    CHECK(red > 150);
    CHECK(blue < 100);

    // Display P3 (234, 51, 35) is a red that sRGB does not have: without conversion it would stay
    // 234.
    const auto wide = run_worker(picture("jpeg-p3"), "image/jpeg");
    REQUIRE(wide.understood);
    const auto middle = inspected(wide.answer.variants.back().webp);
    INFO(middle);
    const auto at = middle.find("middle=");
    REQUIRE(std::sscanf(middle.c_str() + at, "middle=%d,%d,%d", &red, &green, &blue) == 3);
    CHECK(red > 248);
    CHECK(green < 12);
}

TEST_CASE("picture worker: fitted inside, not cut, for other purposes", "[upload][worker]") {
    const auto run = run_worker(picture("jpeg"), "image/jpeg", "job-picture");
    REQUIRE(run.understood);
    CHECK(sizes_of(run.answer) == "320:320x240 960:800x600 ");
}

TEST_CASE("picture worker: memory stays bounded", "[upload][worker]") {
    constexpr long mebibyte = 1024;
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    constexpr long shadow = 4; // what ThreadSanitizer keeps of each byte
#else
    constexpr long shadow = 1;
#endif
#else
    constexpr long shadow = 1;
#endif

    struct row {
        std::string name;
        std::string type;
        long rss_max_kib;
    };

    const std::vector<row> table{
        {"jpeg-12mp", "image/jpeg", 150 * mebibyte},
        {"jpeg-50mp", "image/jpeg", 150 * mebibyte},
        {"jpeg-progressive-12mp", "image/jpeg", 300 * mebibyte}, // all coefficients at once
        {"jpeg-progressive-50mp", "image/jpeg", 500 * mebibyte},
        {"png-50k", "image/png", 100 * mebibyte},
        {"gif-10k-frames", "image/gif",
         200 * mebibyte}, // the sanitizers add a record to each frame
    };
    for (const auto& [name, type, rss_max_kib] : table) {
        CAPTURE(name);
        const auto run = run_worker(picture(name), type);
        CHECK(run.understood);
        CHECK(run.rss_kib < rss_max_kib * shadow);
    }
}

TEST_CASE("picture worker: frames that make no sense end it", "[upload][worker]") {
    const scratch_folder scratch;
    const auto file = scratch.write("request", "this is no request");
    const auto out = output_of(program("relais-upload-worker") + " < " + file);
    CHECK(out.empty());
    CHECK(output_of(program("relais-upload-worker") + " --version").starts_with("relais-upload"));
    CHECK(std::system((program("relais-upload-worker") + " --nonsense 2>/dev/null").c_str()) ==
          2 << 8);
}
