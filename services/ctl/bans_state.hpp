#pragma once

#include "clock/clock.hpp"
#include "kafka/record.hpp"
#include "result/result.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace relais::ctl {

/// The gateway reads this far back at its start, and the topic keeps its events a little longer.
inline constexpr std::chrono::hours ban_time_max{90 * 24};

struct ban_entry {
    std::string reason;
    std::string banned_by;
    timestamp expires_at;
};

/// By prefix.
using ban_entries = std::map<std::string, ban_entry, std::less<>>;

/// What a record of edge.ban.events.v1 does to the bans; records of other kinds do nothing.
void apply_ban_event(const kafka::record& record, ban_entries& to);

/// "203.0.113.7" and "10.1.0.0/16" as the prefix of an event: with its length, IPv6 in its shortest
/// form, mapped IPv4 as IPv4. Errors, all of them `invalid` / "usage": no address; bits behind the
/// prefix; so wide (below /8, IPv6 below /16) that it can only be a mistake.
result<std::string> ban_prefix_of(std::string_view text);

/// "90s", "15m", "12h", "7d": more than nothing and at most ban_time_max. Error: `invalid` /
/// "usage".
result<std::chrono::seconds> ban_time_of(std::string_view text);

} // namespace relais::ctl
