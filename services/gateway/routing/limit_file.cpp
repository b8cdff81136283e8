#include "gateway/routing/limit_file.hpp"

#include "gateway/limits/ratelimit_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace relais::gateway {

std::uint32_t id_of(std::string_view name) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(name));
}

void read_limit(const edge::v1::Limit& given, route_table& to, config::reader& from) {
    const auto problem = [&](std::string_view what) {
        from.problem("routes file", fmt::format("limit \"{}\": {}", given.name(), what));
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
    to.limits.push_back({given.name(), id_of(given.name()), subject, *allowed});
}

} // namespace relais::gateway
