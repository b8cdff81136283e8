#include "gateway/compression/answer_compressor.hpp"
#include "gateway/compression/compression_rules.hpp"
#include "support/decoded.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <random>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A client that takes everything at once, or has to be waited for.
class eager_client final : public client_side {
public:
    sent next = sent::whole;
    std::string got;
    std::size_t largest = 0;
    int pieces = 0;
    bool ended = false;

    const client_info& info() const override {
        return info_;
    }

    sent send_body(std::string_view piece, bool last) override {
        got.append(piece);
        largest = std::max(largest, piece.size());
        ++pieces;
        ended = ended || last;
        return next;
    }

    void read_body() override {}

    bool body_finished() const override {
        return true;
    }

    sent send_interim(const answer_head& /*head*/) override {
        return sent::whole;
    }

    void send_head(const answer_head& /*head*/) override {}

    void take_back_head() override {}

    void send_switch(const answer_head& /*head*/) override {}

    sent flush() override {
        return sent::whole;
    }

    void finish() override {}

    void abort() override {}

private:
    client_info info_;
};

struct rig {
    encoder_pool encoders;
    block_pool blocks;
    eager_client client;
    answer_compressor compressor{encoders, blocks};
};

/// Neither random nor too regular.
std::string text_of(std::size_t size) {
    std::minstd_rand random(7);
    std::string out;
    while (out.size() < size) {
        out += fmt::format("<li>job {} in {}</li>\n", random() % 1000, random() % 100);
    }
    out.resize(size);
    return out;
}

std::string noise_of(std::size_t size) {
    std::minstd_rand random(7);
    std::string out(size, '\0');
    for (auto& byte : out) {
        byte = static_cast<char>(random());
    }
    return out;
}

answer_head head_with(std::vector<http::field_view> fields,
                      std::optional<std::uint64_t> length = 5000) {
    answer_head out;
    out.status = 200;
    out.has_body = true;
    out.content_length = length;
    out.fields = std::move(fields);
    return out;
}

} // namespace

TEST_CASE("what Accept-Encoding makes of zstd, br and gzip", "[gateway]") {
    struct row {
        const char* says;
        const char* best;
    };

    const auto each = GENERATE(
        row{"", "identity"}, row{"gzip", "gzip"}, row{"GZIP", "gzip"}, row{"x-gzip", "gzip"},
        row{"gzip, deflate, br, zstd", "zstd"}, row{"gzip, deflate, br", "br"},
        row{"gzip;q=1.0, br;q=0.9", "gzip"}, row{"gzip;q=0.5, br;q=0.5", "br"},
        row{"gzip;q=0.001", "gzip"}, row{"gzip;q=0", "identity"}, row{"gzip;q=0.000", "identity"},
        row{"*", "zstd"}, row{"*;q=0", "identity"}, row{"*;q=0.1, zstd;q=0", "br"},
        row{"gzip, *;q=0", "gzip"}, row{"identity", "identity"}, row{"identity, gzip", "gzip"},
        row{"identity;q=0.9, gzip;q=0.5", "identity"}, row{"identity;q=0.5, gzip;q=0.9", "gzip"},
        row{"identity;q=0, br;q=0.1", "br"}, row{"identity;q=0", "identity"},
        row{"deflate, compress", "identity"}, row{"gzip;q=2", "identity"},
        row{"gzip;q=1.001", "identity"}, row{"gzip;q=0.1234", "identity"},
        row{"gzip;q=", "identity"}, row{"gzip;q=-1", "identity"}, row{"gzip;level=9", "identity"},
        row{"gzip ; Q=1 , br;q=0.1", "gzip"}, row{",,gzip,,", "gzip"},
        row{"gzipx, xbr", "identity"}, row{"gzip;q=1;q=0", "identity"});
    constexpr std::array offered{coding::zstd, coding::brotli, coding::gzip};
    CAPTURE(each.says);
    CHECK(to_string(accepted_codings::parse(each.says).best(offered)) == each.best);
}

TEST_CASE("which answers are compressed", "[gateway]") {
    const compression_rules rules({});
    const http::field_view html{"content-type", "Text/HTML; charset=utf-8"};
    CHECK(rules.cover(head_with({html})));
    CHECK(rules.cover(head_with({html}, std::nullopt)));
    CHECK(rules.cover(head_with({{"Content-Type", "application/json"}})));
    CHECK(rules.cover(head_with({html, {"Content-Encoding", "identity"}})));
    CHECK_FALSE(rules.cover(head_with({html}, 1023)));
    CHECK_FALSE(rules.cover(head_with({})));
    CHECK_FALSE(rules.cover(head_with({{"Content-Type", "image/png"}})));
    CHECK_FALSE(rules.cover(head_with({{"Content-Type", "text/event-stream"}})));
    CHECK_FALSE(rules.cover(head_with({html, {"Cache-Control", "public, No-Transform"}})));
    for (const auto* name : {"Content-Encoding", "Content-Range", "Content-MD5", "Digest",
                             "Content-Digest", "Repr-Digest"}) {
        CHECK_FALSE(rules.cover(head_with({html, {name, "gzip"}})));
    }
    for (const int status : {204, 206, 304}) {
        auto head = head_with({html});
        head.status = status;
        CHECK_FALSE(rules.cover(head));
    }
}

TEST_CASE("what compression changes in a head", "[gateway]") {
    std::string etag;
    auto head = head_with({{"ETag", "\"a\""}, {"Accept-Ranges", "bytes"}});
    describe_coding(coding::brotli, head, etag);
    std::string text;
    for (const auto& [name, value] : head.fields) {
        text += fmt::format("{}: {}\n", name, value);
    }
    CHECK(text == "ETag: W/\"a\"\nVary: Accept-Encoding\nContent-Encoding: br\n");
    CHECK_FALSE(head.content_length);
    auto plain = head_with({{"ETag", "\"a\""}});
    describe_coding(coding::identity, plain, etag);
    CHECK(plain.content_length == 5000);
    CHECK(plain.fields.size() == 2);
}

TEST_CASE("what comes out is what went in, whatever the pieces", "[gateway]") {
    const auto which = GENERATE(coding::gzip, coding::brotli, coding::zstd);
    const auto content = GENERATE(std::string(), std::string("x"), text_of(5'000), text_of(700'000),
                                  noise_of(300'000));
    const auto piece_bytes = GENERATE(std::size_t{1} << 20, std::size_t{4'093});
    rig with;
    for (int round = 0; round < 2; ++round) { // the second uses the encoder again
        with.client = {};
        REQUIRE(with.compressor.begin(which, 3));
        std::string_view rest = content;
        do {
            const auto piece = rest.substr(0, piece_bytes);
            rest.remove_prefix(piece.size());
            REQUIRE(with.compressor.send(with.client, piece, rest.empty()) == sent::whole);
        } while (!rest.empty());
        CHECK(with.client.ended);
        CHECK(with.client.got.size() == with.compressor.bytes_out());
        CHECK(with.client.largest <= block_pool::block_bytes);
        CHECK(test::decoded(std::string(to_string(which)), with.client.got) == content);
        with.compressor.end();
    }
}

TEST_CASE("a flush gives out everything, once", "[gateway]") {
    const auto which = GENERATE(coding::gzip, coding::brotli, coding::zstd);
    const std::string name(to_string(which));
    rig with;
    REQUIRE(with.compressor.begin(which, 3));
    std::string all;
    for (int i = 0; i < 20; ++i) {
        const auto line = fmt::format("event {}\n", i);
        all += line;
        REQUIRE(with.compressor.send(with.client, line, false) == sent::whole);
        CHECK(with.compressor.holds_back());
        REQUIRE(with.compressor.flush(with.client) == sent::whole);
        CHECK_FALSE(with.compressor.holds_back());
        CHECK(test::decoded_beginning(name, with.client.got) == all);
    }
    CHECK(with.client.pieces == 20);
    REQUIRE(with.compressor.send(with.client, "", true) == sent::whole);
    CHECK(test::decoded(name, with.client.got) == all);
}

TEST_CASE("a client that does not take what it is given holds everything up", "[gateway]") {
    const auto which = GENERATE(coding::gzip, coding::brotli, coding::zstd);
    const auto content = noise_of(400'000);
    rig with;
    with.client.next = sent::waiting;
    REQUIRE(with.compressor.begin(which, 3));
    auto outcome = with.compressor.send(with.client, content, true);
    int waits = 0;
    while (!with.client.ended) {
        REQUIRE(outcome == sent::waiting);
        REQUIRE(with.compressor.busy());
        REQUIRE(with.client.pieces == ++waits);
        outcome = with.compressor.go_on(with.client);
    }
    CHECK(waits > 4);
    CHECK(with.compressor.go_on(with.client) == sent::whole);
    CHECK_FALSE(with.compressor.busy());
    CHECK(test::decoded(std::string(to_string(which)), with.client.got) == content);
}

TEST_CASE("encoders are bounded and used again", "[gateway]") {
    encoder_pool pool;
    std::vector<encoder_pool::lease> held;
    const encoder* first = nullptr;
    {
        const auto one = pool.take(coding::gzip, 1);
        first = one.get();
        REQUIRE(first != nullptr);
    }
    held.push_back(pool.take(coding::gzip, 1));
    CHECK(held.back().get() == first);
    while (held.size() < 256) {
        held.push_back(pool.take(coding::gzip, 1));
        REQUIRE(held.back().get() != nullptr);
    }
    CHECK(pool.take(coding::zstd, 1).get() == nullptr);
    held.pop_back();
    CHECK(pool.take(coding::zstd, 1).get() != nullptr);
}

TEST_CASE("what is wrong with compression", "[gateway]") {
    compression_rules::settings given;
    given.types = {"text", "Text/Event-Stream", "text/html"};
    given.codings = {"deflate", "identity"};
    given.gzip_level = 10;
    given.brotli_level = 12;
    given.zstd_level = 22;
    const auto all = fmt::format("{}", fmt::join(compression_rules::problems(given), "\n"));
    for (const char* problem :
         {"type \"text\"", "text/event-stream is never", "coding \"deflate\"",
          "coding \"identity\"", "gzip_level", "brotli_level", "zstd_level"}) {
        CHECK_THAT(all, ContainsSubstring(problem));
    }
}
