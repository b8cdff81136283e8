#include "gateway/client_address/cidr.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace relais::gateway {
namespace {

constexpr unsigned v6_bits = 128;

auto invalid(std::string_view text, std::string_view what) {
    constexpr std::size_t shown_max = 64;
    return fail(error_kind::invalid, "invalid-cidr",
                fmt::format("\"{}\": {}", text.substr(0, shown_max), what));
}

/// One to three digits without a leading zero.
std::optional<unsigned> parse_length(std::string_view text) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    unsigned length = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
    return failed == std::errc() && end == text.data() + text.size() ? std::optional(length)
                                                                     : std::nullopt;
}

} // namespace

result<cidr> cidr::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto written = text.substr(0, slash);
    const auto address = parse_address(written);
    if (!address) {
        return invalid(text, "not an IP address");
    }
    const auto bits = to_bits(*address);
    // A mapped address was written in IPv6's form, and so was its length.
    const unsigned offset = written.contains(':') ? 0 : mapped_prefix_bits;
    unsigned length = v6_bits;
    if (slash != std::string_view::npos) {
        const auto given = parse_length(text.substr(slash + 1));
        if (!given || *given > v6_bits - offset) {
            return invalid(text, fmt::format("the prefix length is 0 to {}", v6_bits - offset));
        }
        length = *given + offset;
    }
    const cidr block(masked(bits, length), length);
    if (block.network_ != bits) {
        return invalid(text, fmt::format("has bits behind its prefix, {} has none", block.text()));
    }
    return block;
}

cidr cidr::around(const ip_address& address, unsigned length) {
    const auto bits = to_bits(address);
    const unsigned offset = bits.is_v4() ? mapped_prefix_bits : 0;
    const unsigned mapped = std::min(length, v6_bits - offset) + offset;
    return {masked(bits, mapped), mapped};
}

std::string cidr::text() const {
    const unsigned offset = is_v4() ? mapped_prefix_bits : 0;
    return fmt::format("{}/{}", to_address(network_).to_string(), length_ - offset);
}

} // namespace relais::gateway
