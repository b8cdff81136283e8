#include "gateway/routing/clients_file.hpp"

#include "gateway/limits/ratelimit_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {
namespace {

constexpr std::string_view file_problem = "routes file";

} // namespace

std::uint32_t stable_id(std::string_view name) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(name));
}

/// Where a client's address comes from, and how it counts.
void read_client_address(const edge::v1::ClientAddress& given, route_table& to,
                         config::reader& from) {
    std::vector<cidr> blocks;
    for (const auto& text : given.trusted()) {
        const auto block = cidr::parse(text);
        if (block) {
            blocks.push_back(*block);
        } else {
            from.problem(file_problem, fmt::format("client_address: trusted \"{}\": {}", text,
                                                   block.error().detail));
        }
    }
    to.addresses.trusted = cidr_set(blocks);
    switch (given.source()) {
    case edge::v1::ADDRESS_SOURCE_X_FORWARDED_FOR:
        to.addresses.source = address_source::x_forwarded_for;
        break;
    case edge::v1::ADDRESS_SOURCE_FORWARDED:
        to.addresses.source = address_source::forwarded;
        break;
    case edge::v1::ADDRESS_SOURCE_CF_CONNECTING_IP:
        to.addresses.source = address_source::cf_connecting_ip;
        break;
    case edge::v1::ADDRESS_SOURCE_FIELD:
        to.addresses.source = address_source::named_field;
        to.addresses.field_name = given.field();
        break;
    default:
        break;
    }
    const bool needs_trust = to.addresses.source != address_source::peer || given.proxy_protocol();
    if (needs_trust && blocks.empty()) {
        from.problem(file_problem,
                     "client_address: nobody is trusted, so nothing is ever believed");
    }
    if ((to.addresses.source == address_source::named_field) == given.field().empty()) {
        from.problem(file_problem, "client_address: field goes with ADDRESS_SOURCE_FIELD");
    }
    if (given.ipv6_prefix_length() > 128) {
        from.problem(file_problem, "client_address: ipv6_prefix_length is 1 to 128");
    }
    to.proxy_protocol = given.proxy_protocol();
    to.v6_prefix = given.ipv6_prefix_length() == 0 ? 64 : given.ipv6_prefix_length();
}

void read_limit(const edge::v1::Limit& given, route_table& to, config::reader& from) {
    const auto problem = [&](std::string_view what) {
        from.problem(file_problem, fmt::format("limit \"{}\": {}", given.name(), what));
    };
    const auto burst = given.burst() == 0 ? given.requests() : given.burst();
    const auto allowed =
        rate::make(given.requests(), std::chrono::seconds(given.window_s()), burst);
    if (!is_limit_name(given.name())) {
        problem("a name is 1 to 64 lower-case letters, digits and \"-\"");
    }
    if (std::ranges::find(to.limits, given.name(), &limit_rule::name) != to.limits.end()) {
        problem("stands twice");
    }
    if (!allowed) {
        problem(allowed.error().detail);
        return;
    }
    limit_subject subject = limit_subject::address;
    switch (given.subject()) {
    case edge::v1::LIMIT_SUBJECT_ADDRESS:
        break;
    case edge::v1::LIMIT_SUBJECT_ACCOUNT:
        subject = limit_subject::account;
        break;
    case edge::v1::LIMIT_SUBJECT_CREDENTIAL:
        subject = limit_subject::credential;
        break;
    default:
        problem("subject is LIMIT_SUBJECT_ADDRESS, _ACCOUNT or _CREDENTIAL");
    }
    to.limits.push_back({given.name(), stable_id(given.name()), subject, *allowed});
}

} // namespace relais::gateway
