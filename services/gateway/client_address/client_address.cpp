#include "gateway/client_address/client_address.hpp"

#include "gateway/client_address/forwarded.hpp"
#include "gateway/client_address/list_from_right.hpp"
#include "http/tokens.hpp"

namespace relais::gateway {
namespace {

std::optional<client_protocol> to_protocol(std::string_view scheme) {
    if (http::equal_names(scheme, "https")) {
        return client_protocol::https;
    }
    if (http::equal_names(scheme, "http")) {
        return client_protocol::http;
    }
    return std::nullopt;
}

/// What X-Forwarded-Proto says at this place from the right. A shorter list was written by fewer of
/// the proxies; its first value is then the outermost's.
std::optional<client_protocol> protocol_at(std::span<const http::field_view> fields,
                                           std::size_t place) {
    list_from_right values(fields, "x-forwarded-proto", list_from_right::quoting::none);
    std::string_view chosen;
    std::string_view each;
    for (std::size_t i = 0; i <= place && values.next(each); ++i) {
        chosen = each;
    }
    return to_protocol(chosen);
}

void walk_x_forwarded_for(client_address& found, const client_address_policy& policy,
                          std::span<const http::field_view> fields) {
    list_from_right hops(fields, "x-forwarded-for", list_from_right::quoting::none);
    std::string_view element;
    std::size_t place = 0;
    for (std::size_t i = 0; i < policy.hops_max && hops.next(element); ++i) {
        const auto address = parse_address_and_port(element);
        if (!address) {
            break;
        }
        found.address = *address;
        place = i;
        if (!policy.trusted.contains(*address)) {
            break;
        }
    }
    found.protocol = protocol_at(fields, place);
}

void walk_forwarded(client_address& found, const client_address_policy& policy,
                    std::span<const http::field_view> fields) {
    list_from_right hops(fields, "forwarded", list_from_right::quoting::quoted_strings);
    std::string_view element;
    for (std::size_t i = 0; i < policy.hops_max && hops.next(element); ++i) {
        const auto hop = parse_forwarded_element(element);
        if (!hop || hop->from.kind != forwarded_node::form::address) {
            break;
        }
        found.address = hop->from.address;
        found.protocol = to_protocol(hop->proto);
        if (!policy.trusted.contains(found.address)) {
            break;
        }
    }
}

void read_single(client_address& found, std::string_view name,
                 std::span<const http::field_view> fields) {
    std::optional<std::string_view> only;
    for (const auto& field : fields) {
        if (http::equal_names(field.name, name)) {
            if (only) {
                return; // two answers are none: the client brought one of them
            }
            only = field.value;
        }
    }
    const auto address = only ? parse_address(http::trim_blanks(*only)) : std::nullopt;
    if (address) {
        found.address = *address;
        found.protocol = protocol_at(fields, 0);
    }
}

} // namespace

client_address client_address_of(const ip_address& peer, const client_address_policy& policy,
                                 std::span<const http::field_view> fields) {
    client_address found{.address = unmapped(peer), .peer_trusted = policy.trusted.contains(peer)};
    if (!found.peer_trusted) {
        return found;
    }
    switch (policy.source) {
    case address_source::peer:
        break;
    case address_source::x_forwarded_for:
        walk_x_forwarded_for(found, policy, fields);
        break;
    case address_source::forwarded:
        walk_forwarded(found, policy, fields);
        break;
    case address_source::cf_connecting_ip:
        read_single(found, "cf-connecting-ip", fields);
        break;
    case address_source::named_field:
        read_single(found, policy.field_name, fields);
        break;
    }
    return found;
}

} // namespace relais::gateway
