#include "gateway/limits/ban_list.hpp"

#include "ids/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <map>

namespace relais::gateway {
namespace {

/// Spreads every bit of the value over all (the finalizer of SplitMix64).
std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

std::uint64_t random_seed() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    random_bytes(bytes);
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes.data(), bytes.size());
    return seed;
}

void sort_lengths(std::vector<unsigned>& lengths) {
    std::ranges::sort(lengths, std::greater());
    const auto same = std::ranges::unique(lengths);
    lengths.erase(same.begin(), same.end());
}

} // namespace

ban_list::ban_list(std::vector<ban> bans, timestamp now, std::size_t bans_max)
    : bans_max_(bans_max) {
    std::map<cidr, ban> last_of_each;
    for (auto& each : bans) {
        const auto prefix = each.prefix;
        last_of_each.insert_or_assign(prefix, std::move(each));
    }
    bans_.reserve(last_of_each.size());
    for (auto& [prefix, each] : last_of_each) {
        bans_.push_back(std::move(each));
    }
    bound(now);
    index();
}

void ban_list::bound(timestamp now) {
    std::erase_if(bans_, [now](const ban& each) { return each.expires_at <= now; });
    if (bans_.size() <= bans_max_) {
        return;
    }
    const auto excess = bans_.size() - bans_max_;
    const auto last = std::ranges::next(bans_.begin(), static_cast<std::ptrdiff_t>(bans_max_));
    std::ranges::nth_element(bans_, last, std::greater(), &ban::expires_at);
    bans_.erase(last, bans_.end());
    std::ranges::sort(bans_, {}, &ban::prefix);
    dropped_ += excess;
}

std::size_t ban_list::bucket(const address_bits& network, unsigned length) const {
    const auto high = mixed(network.high ^ seed_);
    return mixed(network.low + high + length) & (table_.size() - 1);
}

void ban_list::index() {
    lengths_v4_.clear();
    lengths_v6_.clear();
    // At most half full, so that a probe ends soon.
    table_.assign(std::bit_ceil(bans_.size() * 2 + 1), 0);
    seed_ = random_seed();
    for (std::uint32_t i = 0; i < bans_.size(); ++i) {
        const auto& prefix = bans_[i].prefix;
        (prefix.is_v4() ? lengths_v4_ : lengths_v6_).push_back(prefix.mapped_length());
        auto place = bucket(prefix.network(), prefix.mapped_length());
        while (table_[place] != 0) {
            place = (place + 1) & (table_.size() - 1);
        }
        table_[place] = i + 1;
    }
    sort_lengths(lengths_v4_);
    sort_lengths(lengths_v6_);
}

const ban* ban_list::at(const address_bits& bits, unsigned length) const {
    const auto network = masked(bits, length);
    auto place = bucket(network, length);
    while (table_[place] != 0) {
        const auto& found = bans_[table_[place] - 1];
        if (found.prefix.mapped_length() == length && found.prefix.network() == network) {
            return &found;
        }
        place = (place + 1) & (table_.size() - 1);
    }
    return nullptr;
}

const ban* ban_list::find(const ip_address& address, timestamp now) const {
    const auto bits = to_bits(address);
    for (const unsigned length : bits.is_v4() ? lengths_v4_ : lengths_v6_) {
        const auto* found = at(bits, length);
        if (found != nullptr && now < found->expires_at) {
            return found;
        }
    }
    return nullptr;
}

ban_list ban_list::with(ban added, timestamp now) const {
    ban_list out = *this;
    const auto place = std::ranges::lower_bound(out.bans_, added.prefix, {}, &ban::prefix);
    if (place != out.bans_.end() && place->prefix == added.prefix) {
        *place = std::move(added);
    } else {
        out.bans_.insert(place, std::move(added));
    }
    out.bound(now);
    out.index();
    return out;
}

ban_list ban_list::without(const cidr& prefix, timestamp now) const {
    ban_list out = *this;
    std::erase_if(out.bans_, [&](const ban& each) { return each.prefix == prefix; });
    out.bound(now);
    out.index();
    return out;
}

} // namespace relais::gateway
