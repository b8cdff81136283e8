#include "gateway/client_address/cidr_set.hpp"

#include "http/tokens.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

address_bits last_of(const cidr& block) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    const auto kept = masked({all, all}, block.mapped_length());
    return {block.network().high | ~kept.high, block.network().low | ~kept.low};
}

} // namespace

cidr_set::cidr_set(std::span<const cidr> blocks) {
    std::vector<range> v4;
    std::vector<range> v6;
    for (const auto& block : blocks) {
        (block.is_v4() ? v4 : v6).push_back({block.network(), last_of(block)});
    }
    v4_ = merged(std::move(v4));
    v6_ = merged(std::move(v6));
}

result<cidr_set> cidr_set::parse(std::string_view list) {
    std::vector<cidr> blocks;
    std::string_view member;
    while (http::next_list_member(list, member)) {
        const auto block = cidr::parse(member);
        if (!block) {
            return fail(block);
        }
        blocks.push_back(*block);
    }
    return cidr_set(blocks);
}

std::vector<cidr_set::range> cidr_set::merged(std::vector<range> ranges) {
    std::ranges::sort(ranges, {}, &range::first);
    std::vector<range> out;
    for (const auto& each : ranges) {
        // Two blocks overlap only if one holds the other, and then the wider one comes first or
        // begins with it.
        if (!out.empty() && each.first <= out.back().last) {
            out.back().last = std::max(out.back().last, each.last);
        } else {
            out.push_back(each);
        }
    }
    return out;
}

bool cidr_set::holds(const std::vector<range>& ranges, const address_bits& bits) {
    const auto after = std::ranges::upper_bound(ranges, bits, {}, &range::first);
    return after != ranges.begin() && bits <= std::prev(after)->last;
}

bool cidr_set::contains(const ip_address& address) const {
    const auto bits = to_bits(address);
    return holds(bits.is_v4() ? v4_ : v6_, bits);
}

} // namespace relais::gateway
