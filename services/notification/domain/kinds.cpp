#include "notification/domain/kinds.hpp"

#include <array>

namespace relais::notification {
namespace {

using std::chrono::hours;

constexpr std::array<kind, 4> kinds{{
    {"validate_email", category::security, true, false, hours(24)},
    {"already_registered", category::security, true, false, hours(24)},
    {"offer_made", category::activity, true, true, hours(48)},
    {"offer_accepted", category::activity, true, true, hours(48)},
}};

} // namespace

std::string_view to_string(channel value) {
    return value == channel::mail ? "mail" : "push";
}

std::span<const kind> all_kinds() {
    return kinds;
}

const kind* find_kind(std::string_view name) {
    for (const auto& one : kinds) {
        if (one.name == name) {
            return &one;
        }
    }
    return nullptr;
}

} // namespace relais::notification
