#include "web-api/domain/cursor.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::web_api;

namespace {

const cursor_codec codec(std::vector<std::uint8_t>(32, 7));
const list_position somewhere{timestamp(std::chrono::microseconds(1'764'000'000'123'456)),
                              uuid::parse("0197c0de-0000-7000-8000-0000000000aa").value()};

} // namespace

TEST_CASE("a cursor gives back the position it was made from", "[web-api]") {
    const auto text = codec.encode(somewhere, "jobs\n\n");
    CHECK(text.size() == 54);
    const auto position = codec.decode(text, "jobs\n\n");
    REQUIRE(position);
    CHECK(*position == somewhere);
}

TEST_CASE("a cursor of another list, another key or a bent one is refused", "[web-api]") {
    const auto text = codec.encode(somewhere, "jobs\ngardening\n");
    const auto refused = [](const result<list_position>& decoded) {
        return !decoded && decoded.error().slug == "invalid-cursor";
    };
    CHECK(refused(codec.decode(text, "jobs\nplumbing\n")));
    const cursor_codec other(std::vector<std::uint8_t>(32, 8));
    CHECK(refused(other.decode(text, "jobs\ngardening\n")));
    CHECK(refused(codec.decode("", "jobs\ngardening\n")));
    CHECK(refused(codec.decode("not base64!", "jobs\ngardening\n")));
    CHECK(refused(codec.decode(text + "A", "jobs\ngardening\n")));
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto bent = text;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        CHECK(refused(codec.decode(bent, "jobs\ngardening\n")));
    }
}

TEST_CASE("every list starts behind the start", "[web-api]") {
    const auto start = list_position::start();
    CHECK(somewhere.time < start.time);
    CHECK(somewhere.id < start.id);
}
