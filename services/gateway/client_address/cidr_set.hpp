#pragma once

#include "gateway/client_address/cidr.hpp"

#include <span>
#include <vector>

namespace relais::gateway {

/// Blocks of addresses as one set: overlaps are merged when it is made, a look-up is a binary
/// search. Immutable, so any thread may read it.
class cidr_set {
public:
    cidr_set() = default; ///< holds nothing

    explicit cidr_set(std::span<const cidr> blocks);

    /// A comma separated list, blanks allowed; empty for none. Error: of the first block that
    /// cidr::parse() refuses.
    static result<cidr_set> parse(std::string_view list);

    bool contains(const ip_address& address) const;

    bool empty() const {
        return v4_.empty() && v6_.empty();
    }

private:
    struct range {
        address_bits first;
        address_bits last; ///< included
    };

    static std::vector<range> merged(std::vector<range> ranges);
    static bool holds(const std::vector<range>& ranges, const address_bits& bits);

    // Apart, because no IPv6 block holds IPv4 addresses (cidr).
    std::vector<range> v4_;
    std::vector<range> v6_;
};

} // namespace relais::gateway
