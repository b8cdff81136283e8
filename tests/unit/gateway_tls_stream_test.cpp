#include "support/tls_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>

using namespace relais;
using namespace relais::gateway;
using relais::test::peer_settings;
using relais::test::tls_pair;
using relais::test::tls_rig;

namespace {

constexpr int tls_1_2 = 0x0303;
constexpr int tls_1_3 = 0x0304;

peer_settings only(int version) {
    return {.version_min = version, .version_max = version};
}

/// Bytes that show where they belong.
std::string pattern(std::size_t size) {
    std::string out(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = static_cast<char>((i * 7 + i / 251) % 256);
    }
    return out;
}

std::string read_all(tls_session& session, std::size_t piece = 4'096) {
    std::string out;
    std::string into(piece, '\0');
    while (true) {
        const auto outcome = session.read(into);
        if (outcome.status != tls_status::done) {
            return out;
        }
        out.append(into, 0, outcome.bytes);
    }
}

std::vector<std::size_t> sizes_of_records(tls_rig& rig, tls_pair& pair,
                                          std::vector<std::size_t> writes) {
    static_cast<void>(rig);
    pair.theirs.read();
    const auto before = pair.theirs.record_sizes().size();
    for (const auto size : writes) {
        const std::string bytes(size, 'x');
        REQUIRE(pair.ours.write(bytes) == tls_outcome{tls_status::done, {}, size});
        REQUIRE(pair.theirs.read().size() == size);
    }
    const auto& sizes = pair.theirs.record_sizes();
    return {sizes.begin() + static_cast<std::ptrdiff_t>(before), sizes.end()};
}

} // namespace

TEST_CASE("a request and its answer", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig, only(GENERATE(tls_1_2, tls_1_3)));
    std::array<char, 256> into{};
    CHECK(pair.ours.read(into) == tls_outcome{tls_status::want_read, {}, 0});
    pair.theirs.write("request");
    CHECK(pair.ours.read(into) == tls_outcome{tls_status::done, {}, 7});
    CHECK(std::string_view(into.data(), 7) == "request");
    CHECK_FALSE(pair.ours.has_pending());
    CHECK(pair.ours.read(into).status == tls_status::want_read);
    CHECK(pair.ours.write("answer") == tls_outcome{tls_status::done, {}, 6});
    CHECK(pair.theirs.read() == "answer");
}

TEST_CASE("a request that came with the end of the handshake is not left waiting",
          "[gateway][tls]") {
    tls_rig rig;
    const test::socket_pair sockets;
    auto session = rig.accept(sockets);
    test::tls_peer_client client(only(tls_1_3));
    client.connect(sockets.theirs());
    client.handshake();
    CHECK(session.handshake().status == tls_status::want_read);
    REQUIRE(client.handshake());
    client.write("early bird");
    CHECK(session.handshake().status == tls_status::done);
    CHECK(session.has_pending());
    CHECK(read_all(session) == "early bird");
}

TEST_CASE("pieces share a record, whatever is empty among them", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig);
    pair.theirs.read();
    const auto before = pair.theirs.record_sizes().size();
    const std::array<std::string_view, 5> pieces{"", "HTTP/1.1 200 OK\r\n", "\r\n", "", "body"};
    CHECK(pair.ours.write(pieces) == tls_outcome{tls_status::done, {}, 23});
    CHECK(pair.theirs.read() == "HTTP/1.1 200 OK\r\n\r\nbody");
    CHECK(pair.theirs.record_sizes().size() == before + 1);
    CHECK(pair.ours.write(std::span(pieces).first(1)) == tls_outcome{});
    CHECK(pair.ours.write(std::span<const std::string_view>{}) == tls_outcome{});
}

TEST_CASE("records are small at first, then full, and small again after a silence",
          "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig);
    const auto first = sizes_of_records(rig, pair, {40'000, 40'000});
    CHECK(std::ranges::count_if(first, [](auto size) { return size < 1'400; }) >= 47);
    CHECK(first[0] == 1'369 + 17);
    const auto later = sizes_of_records(rig, pair, {32'768});
    CHECK(later == std::vector<std::size_t>{16'384 + 17, 16'384 + 17});
    rig.time.advance(std::chrono::milliseconds(999));
    CHECK(sizes_of_records(rig, pair, {16'384}).size() == 1);
    rig.time.advance(std::chrono::milliseconds(1'001));
    CHECK(sizes_of_records(rig, pair, {16'384}).size() == 12);
}

TEST_CASE("what is read comes in the caller's portions", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig);
    const auto sent = pattern(10'000);
    for (std::size_t at = 0; at < sent.size(); at += 500) {
        pair.theirs.write(std::string_view(sent).substr(at, 500));
    }
    std::string into(3'000, '\0');
    CHECK(pair.ours.read(into) == tls_outcome{tls_status::done, {}, 3'000});
    CHECK(into == sent.substr(0, 3'000));
    CHECK(pair.ours.has_pending());
    CHECK(read_all(pair.ours, 1) == sent.substr(3'000));
    CHECK_FALSE(pair.ours.has_pending());
}

TEST_CASE("a mebibyte through a full socket to a slow reader", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig, only(GENERATE(tls_1_2, tls_1_3)));
    pair.sockets.shrink();
    const auto sent = pattern(1 << 20);
    std::string got;
    std::string_view rest = sent;
    std::size_t blocked = 0;
    tls_outcome outcome{tls_status::want_write, {}, 0};
    while (outcome.status == tls_status::want_write) {
        // Two pieces, at another address each time: nothing may depend on where they lie.
        const std::string head(rest.substr(0, 3'333));
        const std::string tail(rest.substr(head.size()));
        const std::array<std::string_view, 2> pieces{head, tail};
        outcome = pair.ours.write(pieces);
        rest.remove_prefix(outcome.bytes);
        blocked += outcome.status == tls_status::want_write ? 1U : 0U;
        got += pair.theirs.read();
    }
    CHECK(outcome.status == tls_status::done);
    CHECK(rest.empty());
    CHECK(blocked > 10);
    CHECK(got == sent);
}

TEST_CASE("a mebibyte in, while an answer waits", "[gateway][tls]") {
    tls_rig rig;
    tls_pair pair(rig);
    pair.sockets.shrink();
    std::string answer = pattern(200'000);
    std::string_view answer_rest = answer;
    answer_rest.remove_prefix(pair.ours.write(answer_rest).bytes);
    const auto sent = pattern(1 << 20);
    std::string_view rest = sent;
    std::string got;
    while (got.size() < sent.size()) {
        rest.remove_prefix(pair.theirs.write(rest.substr(0, 16'384)));
        got += read_all(pair.ours);
    }
    CHECK(got == sent);
    std::string heard;
    while (heard.size() < answer.size()) {
        heard += pair.theirs.read();
        answer_rest.remove_prefix(pair.ours.write(answer_rest).bytes);
    }
    CHECK(heard == answer);
}

TEST_CASE("a client with little memory gets small records", "[gateway][tls]") {
    tls_rig rig;
    auto settings = only(GENERATE(tls_1_2, tls_1_3));
    settings.small_fragments = true;
    tls_pair pair(rig, settings);
    const auto sent = pattern(150'000);
    CHECK(pair.ours.write(std::string_view(sent).substr(0, 80'000)).status == tls_status::done);
    CHECK(pair.theirs.read() == sent.substr(0, 80'000));
    pair.sockets.shrink();
    std::string_view rest = std::string_view(sent).substr(80'000);
    std::string got;
    tls_outcome outcome{tls_status::want_write, {}, 0};
    while (outcome.status == tls_status::want_write) {
        outcome = pair.ours.write(rest);
        rest.remove_prefix(outcome.bytes);
        got += pair.theirs.read();
    }
    CHECK(got == sent.substr(80'000));
    CHECK(std::ranges::all_of(pair.theirs.record_sizes(),
                              [](auto size) { return size <= 512 + 40; }));
}
