#include "gateway/limits/address_key.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais::gateway;

namespace {

address_key key(std::string_view address, unsigned prefix = 64) {
    return address_key(boost::asio::ip::make_address(address), prefix);
}

} // namespace

TEST_CASE("an IPv4 address is one subject, mapped or not", "[gateway]") {
    CHECK(key("192.0.2.1") == key("::ffff:192.0.2.1"));
    CHECK(key("192.0.2.1") == key("192.0.2.1", 8));
    CHECK_FALSE(key("192.0.2.1") == key("192.0.2.2"));
    CHECK(key("192.0.2.1").bytes() == key("::ffff:c000:201").bytes());
    CHECK_FALSE(key("192.0.2.1") == key("::192.0.2.1", 128));
}

TEST_CASE("IPv6 addresses of one prefix are one subject", "[gateway]") {
    CHECK(key("2001:db8::1") == key("2001:db8::ffff:ffff:ffff:ffff"));
    CHECK_FALSE(key("2001:db8::1") == key("2001:db8:0:1::1"));
    CHECK(key("2001:db8:0:1::1", 48) == key("2001:db8:0:2::1", 48));
    CHECK(key("2001:db8:0:0::1", 56) == key("2001:db8:0:ff::1", 56));
    CHECK_FALSE(key("2001:db8:0:0::1", 56) == key("2001:db8:0:100::1", 56));
    CHECK_FALSE(key("2001:db8::1", 128) == key("2001:db8::2", 128));
    CHECK(key("2001:db8::1", 999) == key("2001:db8::1", 128));
    CHECK(key("fe80::1%1") == key("fe80::2"));
}

TEST_CASE("a key is made of 16 bytes, too", "[gateway]") {
    std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
    bytes[15] = 9;
    CHECK(address_key(bytes) == key("2001:db8::1"));
    CHECK(address_key(bytes, 128) == key("2001:db8::9", 128));
    CHECK(key("2001:db8::1").bytes().size() == 16);
}
