#include "memcache/meta.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace relais::memcache {

result<meta_reply> parse_meta_line(std::string_view line) {
    const auto bad = [] {
        return fail(error_kind::internal, "cache-bad-reply");
    };
    const auto space = line.find(' ');
    const auto code = line.substr(0, space);
    static constexpr std::array<std::string_view, 4> without_value{"HD", "EN", "NF", "NS"};
    if (std::ranges::find(without_value, code) != without_value.end()) {
        return meta_reply{std::string(code), std::nullopt, {}};
    }
    if (code != "VA" || space == std::string_view::npos) {
        return bad();
    }
    const auto rest = line.substr(space + 1);
    const auto digits = rest.substr(0, rest.find(' '));
    std::size_t size = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (failed != std::errc() || end != digits.data() + digits.size()) {
        return bad();
    }
    return meta_reply{std::string(code), size, {}};
}

bool is_valid_key(std::string_view key) {
    return !key.empty() && key.size() <= 250 &&
           std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace relais::memcache
