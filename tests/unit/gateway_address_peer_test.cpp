#include "gateway/client_address/client_address.hpp"
#include "gateway/client_address/proxy_protocol.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace relais;
using namespace relais::gateway;

// The rest of the spoof matrix (gateway_address_spoof_test.cpp): PROXY, and the length of the walk.

namespace {

using source = address_source;

ip_address ip(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

const cidr_set ours = *cidr_set::parse("10.0.0.0/8, 2001:db8:ffff::/48");

constexpr std::string_view client = "203.0.113.9";
constexpr std::string_view proxy = "10.0.0.1";

} // namespace

TEST_CASE("spoof matrix: PROXY", "[gateway]") {
    const std::vector<http::field_view> fields{{"X-Forwarded-For", "198.51.100.66"}};
    const auto behind = [&](std::string_view line, source from) {
        proxy_header header;
        const auto taken = parse_proxy_header(line, {}, header);
        REQUIRE(taken);
        REQUIRE(*taken == line.size());
        const client_address_policy policy{.trusted = ours, .source = from};
        return client_address_of(header.peer(ip(proxy)), policy, fields);
    };
    constexpr std::string_view relayed = "PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n";
    constexpr std::string_view by_ours = "PROXY TCP4 10.0.0.2 10.0.0.1 4711 443\r\n";
    constexpr std::string_view unknown = "PROXY UNKNOWN\r\n";
    // The header says who the peer is: fields of a stranger behind it are his own inventions.
    CHECK(behind(relayed, source::peer).address == ip(client));
    CHECK(behind(relayed, source::x_forwarded_for).address == ip(client));
    CHECK_FALSE(behind(relayed, source::x_forwarded_for).peer_trusted);
    CHECK(behind(by_ours, source::x_forwarded_for).address == ip("198.51.100.66"));
    CHECK(behind(unknown, source::peer).address == ip(proxy));
    CHECK(behind(unknown, source::x_forwarded_for).address == ip("198.51.100.66"));
}

TEST_CASE("the walk ends after so many hops, at an address of ours", "[gateway]") {
    const auto found = [](source from, const std::vector<http::field_view>& fields,
                          std::size_t hops_max) {
        const client_address_policy policy{.trusted = ours, .source = from, .hops_max = hops_max};
        return client_address_of(ip(proxy), policy, fields).address;
    };
    std::string list(client);
    for (int i = 1; i <= 20; ++i) {
        list += ", 10.0.1." + std::to_string(i);
    }
    const std::vector<http::field_view> fields{{"X-Forwarded-For", list}};
    constexpr auto from = source::x_forwarded_for;
    CHECK(found(from, fields, 21) == ip(client));
    CHECK(found(from, fields, 20) == ip("10.0.1.1"));
    CHECK(found(from, fields, 1) == ip("10.0.1.20"));
    CHECK(found(from, fields, 0) == ip(proxy));
    const std::vector<http::field_view> forwarded{{"Forwarded", "for=203.0.113.9, for=10.0.0.2"}};
    CHECK(found(source::forwarded, forwarded, 2) == ip(client));
    CHECK(found(source::forwarded, forwarded, 1) == ip("10.0.0.2"));
}
