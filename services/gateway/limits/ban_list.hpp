#pragma once

#include "clock/clock.hpp"
#include "gateway/client_address/cidr.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace relais::gateway {

/// Addresses that get nothing until a moment of wall-clock time.
struct ban {
    cidr prefix;
    timestamp expires_at;
    std::string reason; ///< for logs and the operator, not for the client
};

/// All bans at one moment. Immutable: a change gives a new list, which is published as a whole, so
/// any thread may read it. A look-up is one probe of a hash table for every prefix length that
/// occurs, which are few; a change copies the list (milliseconds for the most there may be) and
/// belongs on the control path.
class ban_list {
public:
    static constexpr std::size_t bans_max_default = 65'536;

    ban_list() = default; ///< none

    /// Of several bans of one prefix the last counts. Those that are over at `now` are dropped, and
    /// when more than `bans_max` remain those that end first; these are counted.
    ban_list(std::vector<ban> bans, timestamp now, std::size_t bans_max = bans_max_default);

    /// The ban that holds at `now` for this address, the one of the longest prefix; nullptr when
    /// there is none. Lives as long as the list.
    const ban* find(const ip_address& address, timestamp now) const;

    /// With this ban in place of the one of the same prefix, if any; without those over at `now`.
    ban_list with(ban added, timestamp now) const;

    /// Without the ban of exactly this prefix: wider and narrower ones stay.
    ban_list without(const cidr& prefix, timestamp now) const;

    /// In the order of the prefixes.
    std::span<const ban> all() const {
        return bans_;
    }

    std::size_t size() const {
        return bans_.size();
    }

    /// How many were dropped because there were too many, over all the lists this one came from.
    std::uint64_t dropped() const {
        return dropped_;
    }

private:
    void bound(timestamp now);
    void index();
    std::size_t bucket(const address_bits& network, unsigned length) const;
    const ban* at(const address_bits& bits, unsigned length) const;

    std::vector<ban> bans_; ///< sorted by prefix
    std::size_t bans_max_ = bans_max_default;
    std::uint64_t dropped_ = 0;

    std::vector<unsigned> lengths_v4_; ///< as cidr::mapped_length(), longest first
    std::vector<unsigned> lengths_v6_;
    std::vector<std::uint32_t> table_; ///< index in bans_ + 1, 0 is empty; a power of two of them
    std::uint64_t seed_ = 0;           ///< whoever gets himself banned cannot choose the place
};

} // namespace relais::gateway
