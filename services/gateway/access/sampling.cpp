#include "gateway/access/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

namespace relais::gateway {
namespace {

constexpr std::uint16_t server_error_min = 500;

/// Spreads ids that are no random numbers over all values (the finalizer of MurmurHash3).
std::uint64_t mix(std::uint64_t value) {
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdU;
    value ^= value >> 33U;
    value *= 0xc4ceb9fe1a85ec53U;
    value ^= value >> 33U;
    return value;
}

/// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) {
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
    }
    return mix(hash);
}

std::uint64_t hash_of(const access_record& record) {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), record.trace.trace_id.data(), sizeof halves);
    if (halves[0] == 0 && halves[1] == 0) {
        return hash_of(record.request_id.view());
    }
    return mix(halves[1] ^ mix(halves[0]));
}

} // namespace

sampling::sampling(double rate, std::chrono::microseconds slow_after)
    : slow_after_(slow_after), all_(rate >= 1),
      below_(all_ || !(rate > 0) ? 0 : static_cast<std::uint64_t>(std::ldexp(rate, 64))),
      weight_(all_ || below_ == 0 ? 1 : 1 / rate) {}

bool sampling::failed(const access_record& record) noexcept {
    return record.status >= server_error_min || record.reason != error_reason::none;
}

bool sampling::always(const access_record& record) const noexcept {
    return failed(record) || record.total > slow_after_;
}

bool sampling::in_share(const access_record& record) const noexcept {
    return all_ || hash_of(record) < below_;
}

} // namespace relais::gateway
