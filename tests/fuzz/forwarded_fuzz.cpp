// Fields that say who the client is. The input: lines "name:value" are field lines. Whatever a
// client wrote, what a trusted proxy puts behind it decides.
#include "fuzz/fuzz_target.hpp"
#include "gateway/client_address/client_address.hpp"
#include "gateway/client_address/forwarded.hpp"
#include "gateway/client_address/list_from_right.hpp"
#include "http/tokens.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace relais;
using namespace relais::gateway;

namespace {

bool inside(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

std::vector<http::field_view> field_lines(std::string_view text) {
    std::vector<http::field_view> out;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto colon = line.find(':');
        if (colon != std::string_view::npos) {
            out.push_back({line.substr(0, colon), line.substr(colon + 1)});
        }
    }
    return out;
}

/// Every element is inside of its line, and the parts of an element inside of it.
void check_elements(const std::vector<http::field_view>& fields, std::string_view name,
                    list_from_right::quoting quotes, std::string_view whole) {
    list_from_right list(fields, name, quotes);
    std::string_view element;
    while (list.next(element)) {
        fuzz::require(!element.empty() && inside(element, whole));
        const auto said = parse_forwarded_element(element);
        fuzz::require(!said || (inside(said->host, element) && inside(said->proto, element)));
    }
}

/// A proxy of ours appends whom it heard from, to the last line or in one of its own.
void check_appended(std::vector<http::field_view> fields, std::string_view name,
                    std::string_view said, const client_address_policy& policy) {
    const ip_address peer = boost::asio::ip::address_v4(0x0a000001);
    const ip_address heard = boost::asio::ip::address_v4(0xcb007109);
    std::string joined;
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
        if (http::equal_names(field->name, name)) {
            joined = std::string(field->value) + ", " + std::string(said);
            const auto before = std::exchange(field->value, joined);
            fuzz::require(client_address_of(peer, policy, fields).address == heard);
            field->value = before;
            break;
        }
    }
    fields.push_back({name, said});
    fuzz::require(client_address_of(peer, policy, fields).address == heard);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    const auto fields = field_lines(text);
    check_elements(fields, "forwarded", list_from_right::quoting::quoted_strings, text);
    check_elements(fields, "x-forwarded-for", list_from_right::quoting::none, text);

    client_address_policy policy{.trusted = *cidr_set::parse("10.0.0.0/8, fd00::/8"),
                                 .field_name = "x-real-ip"};
    const ip_address stranger = boost::asio::ip::address_v4(0xc6336442);
    for (const auto source :
         {address_source::peer, address_source::x_forwarded_for, address_source::forwarded,
          address_source::cf_connecting_ip, address_source::named_field}) {
        policy.source = source;
        fuzz::require(client_address_of(stranger, policy, fields).address == stranger);
        client_address_of(boost::asio::ip::address_v4(0x0a000001), policy, fields);
    }
    policy.source = address_source::x_forwarded_for;
    check_appended(fields, "x-forwarded-for", "203.0.113.9", policy);
    policy.source = address_source::forwarded;
    check_appended(fields, "forwarded", R"(for="203.0.113.9:80";x="a, \", b")", policy);
    return 0;
}
