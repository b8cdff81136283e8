#include "gateway/client_address/crc32c.hpp"
#include "gateway/client_address/proxy_protocol.hpp"
#include "gateway/client_address/proxy_protocol_v2.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::gateway;

namespace {

ip_address ip(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

result<std::size_t> parse(std::string_view bytes, proxy_header& header,
                          const proxy_protocol_limits& limits = {}) {
    return parse_proxy_header(bytes, limits, header);
}

bool is_malformed(std::string_view bytes, const proxy_protocol_limits& limits = {}) {
    proxy_header header;
    const auto taken = parse(bytes, header, limits);
    return !taken && taken.error().kind == error_kind::invalid &&
           taken.error().slug == "malformed-proxy-header";
}

/// Fed byte by byte, as a hostile network may: every beginning asks for more, and what stands
/// behind the header stays.
proxy_header whole(const std::string& bytes, const proxy_protocol_limits& limits = {}) {
    proxy_header header;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto taken = parse(std::string_view(bytes).substr(0, size), header, limits);
        INFO("after " << size << " bytes");
        REQUIRE(taken);
        REQUIRE(*taken == 0);
    }
    const auto taken = parse(bytes + "GET / HTTP/1.1\r\n", header, limits);
    REQUIRE(taken);
    CHECK(*taken == bytes.size());
    return header;
}

std::string u16(std::size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string v2(int command, int family, const std::string& block) {
    return std::string(proxy_v2_signature) + static_cast<char>(command) +
           static_cast<char>(family) + u16(block.size()) + block;
}

std::string tlv(int type, const std::string& value) {
    return static_cast<char>(type) + u16(value.size()) + value;
}

const std::string four = std::string("\xc0\x00\x02\x01\xc6\x33\x64\x02", 8) + u16(4'711) + u16(443);

std::string six() {
    const auto source = to_bits(ip("2001:db8::1")).bytes();
    const auto target = to_bits(ip("2001:db8::2")).bytes();
    return std::string(source.begin(), source.end()) + std::string(target.begin(), target.end()) +
           u16(4'711) + u16(443);
}

/// With a CRC-32C that is right, at the end.
std::string summed(const std::string& before, const std::string& after = "") {
    auto bytes = v2(0x21, 0x11, four + before + tlv(3, std::string(4, '\0')) + after);
    const auto sum = crc32c(bytes);
    const auto place = bytes.size() - after.size() - 4;
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[place + i] = static_cast<char>(sum >> (24 - 8 * i) & 0xff);
    }
    return bytes;
}

} // namespace

TEST_CASE("CRC-32C gives the sums of RFC 3720", "[gateway]") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    CHECK(crc32c("56789", crc32c("1234")) == 0xe3069283);
}

TEST_CASE("PROXY version 1 says whom it relays", "[gateway]") {
    const auto v4 = whole("PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n");
    CHECK_FALSE(v4.use_peer);
    CHECK(v4.source == ip("192.0.2.1"));
    CHECK(v4.destination == ip("198.51.100.2"));
    CHECK(v4.source_port == 4'711);
    CHECK(v4.destination_port == 443);
    CHECK(v4.peer(ip("10.0.0.1")) == ip("192.0.2.1"));

    const auto v6 = whole("PROXY TCP6 2001:DB8::1 ::2 0 65535\r\n");
    CHECK(v6.source == ip("2001:db8::1"));
    CHECK(v6.destination == ip("::2"));
    CHECK(v6.destination_port == 65'535);
    CHECK(whole("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 1\r\n").source == ip("192.0.2.1"));
}

TEST_CASE("of an unknown connection of PROXY version 1 the peer counts", "[gateway]") {
    for (const std::string line :
         {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN \r\n", "PROXY UNKNOWN 192.0.2.1 whatever \x01\r\n",
          "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"}) {
        const auto header = whole(line);
        CHECK(header.use_peer);
        CHECK(header.peer(ip("::ffff:10.0.0.1")) == ip("10.0.0.1"));
    }
}

TEST_CASE("malformed lines of PROXY version 1 are refused", "[gateway]") {
    for (const std::string_view bad : {"GET / HTTP/1.1\r\n",
                                       "proxy TCP4",
                                       "PROXY\r\n",
                                       "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                                       "PROXY \r\n",
                                       "PROXY TCP4\r\n",
                                       "PROXY TCP4 192.0.2.1\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
                                       "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
                                       "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
                                       "PROXY TCP4 192.0.2.1 192.0.2.2 1 0x2\r\n",
                                       "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
                                       "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
                                       "PROXY TCP4 ::1 ::2 1 2\r\n",
                                       "PROXY TCP4 ::ffff:192.0.2.1 192.0.2.2 1 2\r\n",
                                       "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
                                       "PROXY TCP6 ::1 192.0.2.2 1 2\r\n",
                                       "PROXY TCP6 ::1%lo ::2 1 2\r\n",
                                       "PROXY TCP6 [::1] ::2 1 2\r\n",
                                       "PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n",
                                       "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
                                       "PROXY UNKNOWNX\r\n",
                                       "PROXY UNKNOWN\n",
                                       "PROXY UNKNOWN a\nb\r\n",
                                       "PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n"}) {
        INFO(bad);
        CHECK(is_malformed(bad));
    }
}

TEST_CASE("PROXY version 1 ends within 107 bytes", "[gateway]") {
    const std::string begin = "PROXY UNKNOWN ";
    const auto line = [&](std::size_t bytes) {
        return begin + std::string(bytes - begin.size() - 2, 'x') + "\r\n";
    };
    CHECK(whole(line(107)).use_peer);
    CHECK(is_malformed(line(108)));
    CHECK(is_malformed(begin + std::string(93, 'x')));
    CHECK(is_malformed(begin + std::string(92, 'x') + "\r"));
    proxy_header header;
    CHECK(parse(begin + std::string(92, 'x'), header) == 0);
}

TEST_CASE("PROXY version 2 says whom it relays", "[gateway]") {
    for (const int family : {0x11, 0x12}) {
        const auto header = whole(v2(0x21, family, four));
        CHECK_FALSE(header.use_peer);
        CHECK(header.source == ip("192.0.2.1"));
        CHECK(header.destination == ip("198.51.100.2"));
        CHECK(header.source_port == 4'711);
        CHECK(header.destination_port == 443);
        CHECK_FALSE(header.over_tls);
    }
    for (const int family : {0x21, 0x22}) {
        const auto header = whole(v2(0x21, family, six()));
        CHECK(header.source == ip("2001:db8::1"));
        CHECK(header.destination == ip("2001:db8::2"));
        CHECK(header.source_port == 4'711);
        CHECK(header.destination_port == 443);
    }
    const auto mapped = to_bits(ip("192.0.2.1")).bytes();
    const std::string both(mapped.begin(), mapped.end());
    CHECK(whole(v2(0x21, 0x21, both + both + u16(1) + u16(2))).source == ip("192.0.2.1"));
}

TEST_CASE("what PROXY version 2 does not relay leaves the peer", "[gateway]") {
    for (const auto& bytes :
         {v2(0x20, 0x00, ""), v2(0x20, 0x11, four), v2(0x20, 0xff, "anything"), v2(0x21, 0x00, ""),
          v2(0x21, 0x00, "anything"), v2(0x21, 0x10, "anything"), v2(0x21, 0x01, ""),
          v2(0x21, 0x31, std::string(216, 'u')),
          v2(0x21, 0x32, std::string(216, 'u') + tlv(4, ""))}) {
        const auto header = whole(bytes);
        CHECK(header.use_peer);
        CHECK(header.peer(ip("10.0.0.1")) == ip("10.0.0.1"));
    }
}

TEST_CASE("malformed headers of PROXY version 2 are refused", "[gateway]") {
    for (const auto& bytes :
         {v2(0x11, 0x11, four), v2(0x31, 0x11, four), v2(0x22, 0x11, four), v2(0x2f, 0x11, four),
          v2(0x21, 0x41, four), v2(0x21, 0x13, four), v2(0x21, 0xff, four), v2(0x21, 0x11, ""),
          v2(0x21, 0x11, four.substr(1)), v2(0x21, 0x21, six().substr(1)), v2(0x21, 0x21, four),
          v2(0x21, 0x31, std::string(215, 'u')), std::string("\r\n\r\n\0\r\nQUIT\r", 12),
          std::string("\r\n\r\n\r\n"), std::string("\0", 1)}) {
        CHECK(is_malformed(bytes));
    }
    // Refused at the first byte that is wrong, not when all are there.
    CHECK(is_malformed(v2(0x31, 0x11, four).substr(0, 13)));
}

TEST_CASE("PROXY version 2 has a limit of its length", "[gateway]") {
    const auto exact = four + tlv(4, std::string(1'024 - four.size() - 3, 'n'));
    CHECK(whole(v2(0x21, 0x11, exact)).source == ip("192.0.2.1"));
    const auto longer = v2(0x21, 0x11, four + tlv(4, std::string(1'024 - four.size() - 2, 'n')));
    CHECK(is_malformed(longer));
    CHECK(is_malformed(longer.substr(0, 16)));
    CHECK(is_malformed(v2(0x20, 0x00, std::string(1'025, 'x')).substr(0, 16)));
    CHECK(is_malformed(v2(0x21, 0x11, four), {.block_bytes_max = 11}));
    CHECK(whole(v2(0x21, 0x11, four), {.block_bytes_max = 12}).source == ip("192.0.2.1"));
}

TEST_CASE("TLVs are checked for their lengths and skipped", "[gateway]") {
    for (const auto& good :
         {tlv(4, ""), tlv(1, "h2") + tlv(2, "example.com"), tlv(5, std::string(128, 'i')),
          tlv(0xe0, "custom") + tlv(0xff, ""), tlv(0x30, "netns")}) {
        CHECK(whole(v2(0x21, 0x11, four + good)).source == ip("192.0.2.1"));
    }
    for (const auto& bad :
         {std::string("\x04"), std::string("\x04\x00", 2), std::string("\x04\x00\x01", 3),
          tlv(1, "h2").substr(0, 4), tlv(4, "") + "\x04", tlv(5, std::string(129, 'i')),
          tlv(3, "123"), tlv(3, "12345"), tlv(0x20, "1234")}) {
        CHECK(is_malformed(v2(0x21, 0x11, four + bad)));
    }
}

TEST_CASE("the TLV of TLS says that the client came over it", "[gateway]") {
    const std::string plain("\x00\x00\x00\x00\x00", 5);
    const std::string tls("\x01\x00\x00\x00\x00", 5);
    CHECK_FALSE(whole(v2(0x21, 0x11, four + tlv(0x20, plain))).over_tls);
    CHECK(whole(v2(0x21, 0x11, four + tlv(0x20, tls))).over_tls);
    CHECK(whole(v2(0x21, 0x11, four + tlv(0x20, tls + tlv(0x21, "TLSv1.3") + tlv(0x22, ""))))
              .over_tls);
    CHECK(is_malformed(v2(0x21, 0x11, four + tlv(0x20, tls + "\x21"))));
    CHECK(is_malformed(v2(0x21, 0x11, four + tlv(0x20, tls + tlv(0x21, "TLSv1.3").substr(1)))));
}

TEST_CASE("a CRC-32C of PROXY version 2 must be right", "[gateway]") {
    CHECK(whole(summed("")).source == ip("192.0.2.1"));
    CHECK(whole(summed(tlv(4, "xyz"), tlv(2, "example.com"))).source == ip("192.0.2.1"));
    const auto good = summed(tlv(4, "xyz"));
    for (std::size_t place = 16; place < good.size(); ++place) {
        auto bad = good;
        bad[place] = static_cast<char>(bad[place] ^ 1);
        // Of another type it is no sum any more.
        const bool is_type = place == good.size() - 7;
        CHECK(is_malformed(bad) == !is_type);
    }
    // Two sums cannot both be made with zeros in their place.
    CHECK(is_malformed(summed(good.substr(good.size() - 7))));
}

TEST_CASE("a listener may speak one version of PROXY only", "[gateway]") {
    const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n";
    const proxy_protocol_limits only_1{.version_2 = false};
    const proxy_protocol_limits only_2{.version_1 = false};
    CHECK(whole(line, only_1).source == ip("192.0.2.1"));
    CHECK(is_malformed(line, only_2));
    CHECK(is_malformed("P", only_2));
    CHECK(whole(v2(0x21, 0x11, four), only_2).source == ip("192.0.2.1"));
    CHECK(is_malformed(v2(0x21, 0x11, four), only_1));
}

TEST_CASE("an incomplete or malformed header leaves what was known", "[gateway]") {
    proxy_header header;
    header.source_port = 7;
    CHECK(parse("PROXY TCP4 192.0.2.1", header) == 0);
    CHECK_FALSE(parse("PROXY TCP4 192.0.2.1\r\n", header));
    CHECK_FALSE(parse(v2(0x21, 0x11, four + "x"), header));
    CHECK(header.use_peer);
    CHECK(header.source_port == 7);
}
