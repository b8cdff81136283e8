#pragma once

#include "inbox/consumer.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::inbox {

/// What a service offers as one-off runs (host::process::add_command): `relais-<service> drain`,
/// `relais-<service> replay TOPIC …`. They print on standard output, and return the exit code.

inline constexpr std::string_view drain_usage =
    "drain                       consume what is there at the moment, then end";

inline constexpr std::string_view replay_usage =
    "replay TOPIC [--name NAME --live] [--from T|OFFSET] [--until T|OFFSET] [--partition N]\n"
    "         [--key KEY] [--type TYPE] [--by WHO] [--why TEXT] [--json]\n"
    "                             run events through the handlers once more; without --live\n"
    "                             nothing is kept, and what would have changed is shown";

/// Error: `invalid` / "usage", saying what was expected.
result<replay_request> parse_replay(std::span<const std::string> words);

boost::asio::awaitable<int> run_drain(consumer& inbox);

/// `words` as for parse_replay(), and --json: one object a line.
boost::asio::awaitable<int> run_replay(consumer& inbox, std::vector<std::string> words);

} // namespace relais::inbox
