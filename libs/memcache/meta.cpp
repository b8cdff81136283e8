#include "memcache/meta.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace relais::memcache {
namespace {

void read_flag(std::string_view flag, meta_reply& reply) {
    if (flag == "W") {
        reply.won = true;
    }
    if (flag == "W" || flag == "Z" || flag == "X") {
        reply.stale_or_gap = true;
    }
    if (flag.starts_with('c')) {
        std::from_chars(flag.data() + 1, flag.data() + flag.size(), reply.cas);
    }
}

} // namespace

result<meta_reply> parse_meta_line(std::string_view line) {
    const auto bad = [] {
        return fail(error_kind::internal, "cache-bad-reply");
    };
    const auto space = line.find(' ');
    const auto code = line.substr(0, space);
    static constexpr std::array<std::string_view, 5> without_value{"HD", "EN", "NF", "NS", "EX"};
    if (std::ranges::find(without_value, code) != without_value.end()) {
        meta_reply without;
        without.code = std::string(code);
        return without;
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
    meta_reply reply;
    reply.code = std::string(code);
    reply.value_size = size;
    for (auto flags = rest.substr(digits.size()); !flags.empty();) {
        flags.remove_prefix(1); // the blank in front
        const auto flag = flags.substr(0, flags.find(' '));
        read_flag(flag, reply);
        flags.remove_prefix(flag.size());
    }
    return reply;
}

bool is_valid_key(std::string_view key) {
    return !key.empty() && key.size() <= 250 &&
           std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace relais::memcache
