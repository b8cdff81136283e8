#include "ctl/command.hpp"

namespace relais::ctl {

std::vector<command> all_commands() {
    return {migrate_command(),      topics_command(),   events_command(), outbox_command(),
            dead_letters_command(), timers_command(),   lag_command(),    replay_command(),
            drain_command(),        api_keys_command(), bans_command(),   cache_command(),
            gateway_command()};
}

} // namespace relais::ctl
