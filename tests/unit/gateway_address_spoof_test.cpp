#include "gateway/client_address/client_address.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;
using namespace relais::gateway;

// Who a request is from, for everything that a client or a proxy may put into it. Ours are
// 10.0.0.0/8 and 2001:db8:ffff::/48; 203.0.113.9 is the client, 198.51.100.66 whom it pretends to
// be.

namespace {

using source = address_source;

ip_address ip(std::string_view text) {
    return boost::asio::ip::make_address(text);
}

const cidr_set ours = *cidr_set::parse("10.0.0.0/8, 2001:db8:ffff::/48");

client_address found(source from, std::string_view peer,
                     const std::vector<http::field_view>& fields, std::size_t hops_max = 16) {
    const client_address_policy policy{
        .trusted = ours, .source = from, .field_name = "True-Client-IP", .hops_max = hops_max};
    return client_address_of(ip(peer), policy, fields);
}

constexpr std::string_view client = "203.0.113.9";
constexpr std::string_view proxy = "10.0.0.1";

constexpr std::array all_sources{source::peer, source::x_forwarded_for, source::forwarded,
                                 source::cf_connecting_ip, source::named_field};

/// Everything that pretends to be somebody else, in every way we know.
const std::vector<http::field_view> every_lie{
    {"X-Forwarded-For", "198.51.100.66"},
    {"x-forwarded-for", "198.51.100.66, 10.0.0.2"},
    {"X_Forwarded_For", "198.51.100.66"},
    {"X-Forwarded-Proto", "https"},
    {"Forwarded", "for=198.51.100.66;proto=https"},
    {"CF-Connecting-IP", "198.51.100.66"},
    {"True-Client-IP", "198.51.100.66"},
    {"X-Real-IP", "198.51.100.66"},
    {"Client-IP", "198.51.100.66"},
    {"X-Client-IP", "198.51.100.66"},
    {"X-Cluster-Client-IP", "198.51.100.66"},
    {"Fastly-Client-IP", "198.51.100.66"},
    {"Via", "1.1 198.51.100.66"},
    {"Connection", "X-Forwarded-For, CF-Connecting-IP, Forwarded"},
    {"Trailer", "X-Forwarded-For, CF-Connecting-IP"},
    {"X-Forwarded-For ", "198.51.100.66"},
    {"PROXY", "TCP4 198.51.100.66 10.0.0.1 1 1"},
};

struct row {
    const char* what;
    source from;
    std::vector<http::field_view> fields;
    std::string_view address;
    std::optional<client_protocol> protocol;
};

void check(const std::vector<row>& rows) {
    for (const auto& each : rows) {
        INFO(each.what);
        const auto from_proxy = found(each.from, proxy, each.fields);
        CHECK(from_proxy.address == ip(each.address));
        CHECK(from_proxy.peer_trusted);
        CHECK(from_proxy.protocol == each.protocol);
        // The same fields from a stranger mean nothing.
        const auto from_client = found(each.from, client, each.fields);
        CHECK(from_client.address == ip(client));
        CHECK_FALSE(from_client.peer_trusted);
        CHECK_FALSE(from_client.protocol);
    }
}

constexpr auto http_ = client_protocol::http;
constexpr auto https = client_protocol::https;

} // namespace

TEST_CASE("spoof matrix: a peer that is not ours is who it is", "[gateway]") {
    for (const auto from : all_sources) {
        for (const auto peer : {client, std::string_view("::ffff:203.0.113.9")}) {
            const auto who = found(from, peer, every_lie);
            CHECK(who.address == ip(client));
            CHECK_FALSE(who.peer_trusted);
            CHECK_FALSE(who.protocol);
        }
        const auto six = found(from, "2001:db8::9", every_lie);
        CHECK(six.address == ip("2001:db8::9"));
        CHECK_FALSE(six.peer_trusted);
    }
}

TEST_CASE("spoof matrix: fields of other sources mean nothing", "[gateway]") {
    for (const auto from : all_sources) {
        std::vector<http::field_view> others;
        for (const auto& field : every_lie) {
            const bool own =
                (from == source::x_forwarded_for &&
                 (field.name == "X-Forwarded-For" || field.name == "x-forwarded-for")) ||
                (from == source::forwarded && field.name == "Forwarded") ||
                (from == source::cf_connecting_ip && field.name == "CF-Connecting-IP") ||
                (from == source::named_field && field.name == "True-Client-IP");
            if (!own && field.name != "X-Forwarded-Proto") {
                others.push_back(field);
            }
        }
        const auto who = found(from, proxy, others);
        CHECK(who.address == ip(proxy));
        CHECK(who.peer_trusted);
        CHECK_FALSE(who.protocol);
    }
}

TEST_CASE("spoof matrix: nothing before the gateway", "[gateway]") {
    check(
        {{"all lies", source::peer, every_lie, proxy, {}}, {"none", source::peer, {}, proxy, {}}});
}

TEST_CASE("spoof matrix: X-Forwarded-For", "[gateway]") {
    constexpr auto from = source::x_forwarded_for;
    constexpr auto name = "X-Forwarded-For";
    check({
        {"no field", from, {}, proxy, {}},
        {"empty", from, {{name, ""}}, proxy, {}},
        {"one proxy", from, {{name, client}}, client, {}},
        {"the client's lie before", from, {{name, "198.51.100.66, 203.0.113.9"}}, client, {}},
        {"a lie in a line of its own", from, {{name, "198.51.100.66"}, {name, client}}, client, {}},
        {"lines in between", from, {{name, client}, {"Host", "a"}, {name, "10.0.0.2"}}, client, {}},
        {"two of ours", from, {{name, "203.0.113.9, 10.0.0.3, 10.0.0.2"}}, client, {}},
        {"ours of both families", from, {{name, "203.0.113.9,2001:db8:ffff::2"}}, client, {}},
        {"ours in mapped form", from, {{name, "203.0.113.9, ::ffff:10.0.0.2"}}, client, {}},
        {"a lie that says ours", from, {{name, "10.0.0.9, 203.0.113.9"}}, client, {}},
        {"all ours: our own machine", from, {{name, "10.0.0.3, 10.0.0.2"}}, "10.0.0.3", {}},
        {"with a port", from, {{name, "203.0.113.9:5678"}}, client, {}},
        {"in brackets", from, {{name, "[2001:db8::9]:443"}}, "2001:db8::9", {}},
        {"without brackets", from, {{name, "2001:db8::9"}}, "2001:db8::9", {}},
        {"empty elements", from, {{name, "203.0.113.9,, ,10.0.0.2,"}}, client, {}},
        {"garbage left of the client", from, {{name, "<script>, 203.0.113.9"}}, client, {}},
        {"garbage from a proxy", from, {{name, "203.0.113.9, bogus"}}, proxy, {}},
        {"garbage behind ours", from, {{name, "203.0.113.9, x, 10.0.0.2"}}, "10.0.0.2", {}},
        {"unknown", from, {{name, "203.0.113.9, unknown, 10.0.0.2"}}, "10.0.0.2", {}},
        {"a name", from, {{name, "example.com"}}, proxy, {}},
        {"a scope", from, {{name, "fe80::1%eth0"}}, proxy, {}},
        {"octal", from, {{name, "0203.0.113.9"}}, proxy, {}},
        {"spaces as separators", from, {{name, "198.51.100.66 203.0.113.9"}}, proxy, {}},
        {"nominated by Connection", from, {{"Connection", name}, {name, client}}, client, {}},
        {"an underscored name", from, {{"X_Forwarded_For", client}}, proxy, {}},
        {"a name with a blank", from, {{"X-Forwarded-For ", client}}, proxy, {}},
        {"a longer name", from, {{"X-Forwarded-For-Real", client}}, proxy, {}},
        {"named in Trailer", from, {{"Trailer", name}, {name, client}}, client, {}},
        {"every lie", from, every_lie, "198.51.100.66", https},
    });
}

TEST_CASE("spoof matrix: X-Forwarded-Proto", "[gateway]") {
    constexpr auto from = source::x_forwarded_for;
    constexpr auto name = "X-Forwarded-For";
    constexpr auto proto = "X-Forwarded-Proto";
    check({
        {"one", from, {{name, client}, {proto, "https"}}, client, https},
        {"any case", from, {{name, client}, {proto, "HTTP"}}, client, http_},
        {"another scheme", from, {{name, client}, {proto, "ftp"}}, client, {}},
        {"empty", from, {{name, client}, {proto, ""}}, client, {}},
        {"the client's lie before", from, {{name, client}, {proto, "https, http"}}, client, http_},
        {"a line of its own",
         from,
         {{name, client}, {proto, "https"}, {proto, "http"}},
         client,
         http_},
        {"each proxy wrote one",
         from,
         {{name, "198.51.100.66, 203.0.113.9, 10.0.0.2"}, {proto, "http, https, http"}},
         client,
         https},
        {"only the outermost wrote one",
         from,
         {{name, "203.0.113.9, 10.0.0.2"}, {proto, "https"}},
         client,
         https},
        {"without an address", from, {{proto, "https"}}, proxy, https},
    });
}

TEST_CASE("spoof matrix: Forwarded", "[gateway]") {
    constexpr auto from = source::forwarded;
    constexpr auto name = "Forwarded";
    check({
        {"no field", from, {}, proxy, {}},
        {"one proxy", from, {{name, "for=203.0.113.9;proto=https"}}, client, https},
        {"the client's lie before",
         from,
         {{name, "for=198.51.100.66;proto=https, for=203.0.113.9;proto=http"}},
         client,
         http_},
        {"a lie in a line of its own",
         from,
         {{name, "for=198.51.100.66"}, {name, "for=203.0.113.9"}},
         client,
         {}},
        {"two of ours",
         from,
         {{name, R"(for=203.0.113.9;proto=https, for="[2001:db8:ffff::2]";proto=http)"}},
         client,
         https},
        {"a port", from, {{name, R"(for="203.0.113.9:5678")"}}, client, {}},
        {"mapped", from, {{name, R"(for="[::ffff:203.0.113.9]")"}}, client, {}},
        {"an open quotation mark before", from, {{name, R"(for="x, for=203.0.113.9)"}}, client, {}},
        {"an open mark with a lie inside",
         from,
         {{name, R"(for=198.51.100.66;x=", for=203.0.113.9;host="a.example")"}},
         client,
         {}},
        {"a lie in a quoted string",
         from,
         {{name, R"(for=203.0.113.9;host=a;x=", for=198.51.100.66")"}},
         client,
         {}},
        {"unknown", from, {{name, "for=198.51.100.66, for=unknown"}}, proxy, {}},
        {"obfuscated",
         from,
         {{name, "for=198.51.100.66, for=_hidden, for=10.0.0.2"}},
         "10.0.0.2",
         {}},
        {"no for", from, {{name, "for=198.51.100.66, by=10.0.0.1;proto=https"}}, proxy, {}},
        {"malformed", from, {{name, "for=198.51.100.66, for=::1"}}, proxy, {}},
        {"for twice", from, {{name, "for=203.0.113.9;for=198.51.100.66"}}, proxy, {}},
        {"blanks", from, {{name, "for=203.0.113.9; proto=https"}}, proxy, {}},
        {"only by and host lie",
         from,
         {{name, "for=203.0.113.9;by=198.51.100.66;host=evil.example"}},
         client,
         {}},
        {"X-Forwarded-Proto does not count",
         from,
         {{name, "for=203.0.113.9"}, {"X-Forwarded-Proto", "https"}},
         client,
         {}},
    });
}

TEST_CASE("spoof matrix: CF-Connecting-IP and fields like it", "[gateway]") {
    struct single {
        source from;
        std::string_view name;
    };

    for (const auto& [from, name] : {single{source::cf_connecting_ip, "CF-Connecting-IP"},
                                     single{source::named_field, "True-Client-IP"}}) {
        check({
            {"no field", from, {}, proxy, {}},
            {"one", from, {{name, client}}, client, {}},
            {"any case",
             from,
             {{name == "CF-Connecting-IP" ? "cf-connecting-ip" : "TRUE-CLIENT-IP", client}},
             client,
             {}},
            {"mapped", from, {{name, "::ffff:203.0.113.9"}}, client, {}},
            {"IPv6", from, {{name, "2001:db8::9"}}, "2001:db8::9", {}},
            {"blanks around", from, {{name, "\t203.0.113.9 "}}, client, {}},
            {"twice", from, {{name, "198.51.100.66"}, {name, client}}, proxy, {}},
            {"twice the same", from, {{name, client}, {name, client}}, proxy, {}},
            {"and an empty one", from, {{name, client}, {name, ""}}, proxy, {}},
            {"a list", from, {{name, "198.51.100.66, 203.0.113.9"}}, proxy, {}},
            {"a port", from, {{name, "203.0.113.9:443"}}, proxy, {}},
            {"brackets", from, {{name, "[2001:db8::9]"}}, proxy, {}},
            {"empty", from, {{name, ""}}, proxy, {}},
            {"garbage", from, {{name, "localhost"}}, proxy, {}},
            {"an address of ours", from, {{name, "10.0.0.7"}}, "10.0.0.7", {}},
            {"X-Forwarded-For beside",
             from,
             {{"X-Forwarded-For", "198.51.100.66"}, {name, client}},
             client,
             {}},
            {"the protocol",
             from,
             {{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Proto", "https"}, {name, client}},
             client,
             https},
            {"the protocol without an address", from, {{"X-Forwarded-Proto", "https"}}, proxy, {}},
        });
    }
}
