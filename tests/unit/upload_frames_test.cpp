#include "upload/picture/frames.hpp"
#include "upload/picture/webp.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::upload;

namespace {

std::string little_endian(std::size_t value) {
    std::string out;
    for (int shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>(static_cast<std::uint8_t>(value >> shift));
    }
    return out;
}

std::string chunk(std::string_view name, std::string content) {
    std::string out = std::string(name) + little_endian(content.size()) + content;
    return content.size() % 2 == 0 ? out : out + '\0';
}

std::string webp(const std::string& chunks) {
    return "RIFF" + little_endian(chunks.size() + 4) + "WEBP" + chunks;
}

const recipe asked{"image/png", 1000, true, 80, {64, 256, 512}};

picture_answer good_answer() {
    const std::string picture = webp(chunk("VP8 ", "pixels"));
    return {"", {"pngload_buffer", 300, 200, 1}, {{64, 64, 64, picture}, {256, 200, 200, picture}}};
}

std::string slug_of(const std::string& bytes) {
    const auto answer = read_answer(bytes, asked);
    return answer ? "" : answer.error().slug;
}

} // namespace

TEST_CASE("picture frames: a request survives", "[upload][frames]") {
    const auto bytes = write_request({asked, std::string("\0\n\xff", 3)});
    const auto read = read_request(bytes);
    REQUIRE(read);
    CHECK(read->recipe == asked);
    CHECK(read->picture == std::string("\0\n\xff", 3));
    CHECK_FALSE(read_request(bytes + "x"));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(read_request(bytes.substr(0, size)));
    }
}

TEST_CASE("picture frames: recipes that make no sense", "[upload][frames]") {
    for (const recipe& bad :
         {recipe{"image/png", 0, true, 80, {64}}, recipe{"image/png", 1, true, 0, {64}},
          recipe{"image/png", 1, true, 101, {64}}, recipe{"image/png", 1, true, 80, {}},
          recipe{"image/png", 1, true, 80, {64, 32}}, recipe{"image/png", 1, true, 80, {0}},
          recipe{"image/png\nsizes=1", 1, true, 80, {64}}}) {
        const auto read = read_request(write_request({bad, "x"}));
        CHECK((!read || !(read->recipe == bad)));
    }
}

TEST_CASE("picture frames: an answer survives", "[upload][frames]") {
    const auto bytes = write_answer(good_answer());
    const auto read = read_answer(bytes, asked);
    REQUIRE(read);
    CHECK(read->facts.loader == "pngload_buffer");
    CHECK(read->facts.width == 300);
    REQUIRE(read->variants.size() == 2);
    CHECK(read->variants[1].size == 256);
    CHECK(read->variants[1].width == 200);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK(slug_of(bytes.substr(0, size)) == "bad-frames");
    }
    const auto refused = read_answer(write_answer({"too-many-pixels", {}, {}}), asked);
    REQUIRE(refused);
    CHECK(refused->reason == "too-many-pixels");
}

TEST_CASE("picture frames: a worker that lies is not believed", "[upload][frames]") {
    const auto changed = [](const std::function<void(picture_answer&)>& change) {
        picture_answer answer = good_answer();
        change(answer);
        return slug_of(write_answer(answer));
    };
    CHECK(changed([](auto&) {}).empty());
    CHECK(changed([](auto& a) { a.variants[0].size = 65; }) == "bad-frames");
    CHECK(changed([](auto& a) { a.variants[0].width = 65; }) == "bad-frames");
    CHECK(changed([](auto& a) { a.variants[0].height = 0; }) == "bad-frames");
    CHECK(changed([](auto& a) { a.variants[1].size = 64; }) == "bad-frames");
    CHECK(changed([](auto& a) { a.variants[0].webp = "<script>"; }) == "bad-frames");
    CHECK(changed([](auto& a) { a.variants[0].webp += "tail"; }) == "bad-frames");
    CHECK(changed([](auto& a) {
              a.variants[0].webp = webp(chunk("VP8X", std::string(10, '\0')) +
                                        chunk("VP8 ", "pixels") + chunk("EXIF", "here"));
          }) == "bad-frames");
    CHECK(changed([](auto& a) { a.variants.clear(); }) == "bad-frames");
    CHECK(changed([](auto& a) { a.facts.loader = std::string(200, 'x'); }) == "bad-frames");
    CHECK(slug_of(write_answer({"Not A Slug", {}, {}})) == "bad-frames");
    CHECK(slug_of(write_answer(good_answer()) + write_answer(good_answer())) == "bad-frames");
    CHECK(slug_of("") == "bad-frames");
}

TEST_CASE("webp: only the pixels stay", "[upload][webp]") {
    const auto pixels = chunk("VP8 ", "odd");
    const auto extended = [](char flags) {
        return chunk("VP8X", std::string(1, flags) + std::string(3, '\0') + "\x3f" +
                                 std::string(2, '\0') + "\x3f" + std::string(2, '\0'));
    };
    CHECK(without_metadata(webp(pixels)) == webp(pixels));
    CHECK(without_metadata(webp(extended(0x2c) + chunk("ICCP", "profile") + pixels +
                                chunk("EXIF", "place") + chunk("XMP ", "words") +
                                chunk("huh?", "x"))) == webp(pixels));
    const auto alpha = chunk("ALPH", "see-through");
    CHECK(without_metadata(webp(extended(0x3c) + alpha + pixels + chunk("EXIF", "place"))) ==
          webp(extended(0x10) + alpha + pixels));
    CHECK(is_bare_webp(webp(extended(0x10) + alpha + pixels)));
    CHECK_FALSE(is_bare_webp(webp(extended(0x1c) + alpha + pixels)));
    CHECK(is_bare_webp(webp(chunk("VP8L", "lossless"))));
}

TEST_CASE("webp: anything else is refused", "[upload][webp]") {
    const auto pixels = chunk("VP8 ", "pixels");
    for (const std::string& bytes :
         {std::string(), std::string("RIFF"), webp(""), webp(pixels + pixels),
          webp(chunk("ANMF", "frame")), webp(pixels) + "x", webp(pixels).substr(0, 20),
          webp(chunk("ALPH", "no canvas!") + pixels),
          "RIFX" + little_endian(pixels.size() + 4) + "WEBP" + pixels,
          webp("VP8 " + little_endian(0xffffffff) + "short")}) {
        CHECK_FALSE(without_metadata(bytes));
        CHECK_FALSE(is_bare_webp(bytes));
    }
}
