#include "gateway/tls/server_name.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::size_t name_max = 253;
constexpr std::size_t label_max = 63;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool may_be_in_label(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

} // namespace

bool is_host_name(std::string_view name) {
    if (name.size() > name_max) {
        return false;
    }
    std::string_view label;
    do {
        label = name.substr(0, name.find('.'));
        const bool is_end = label.size() == name.size();
        name.remove_prefix(is_end ? label.size() : label.size() + 1);
        if (label.empty() || label.size() > label_max ||
            !std::ranges::all_of(label, may_be_in_label)) {
            return false;
        }
        if (is_end) {
            break;
        }
    } while (true);
    return !std::ranges::all_of(label, is_digit); // 127.0.0.1
}

} // namespace relais::gateway
