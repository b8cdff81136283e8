#pragma once

#include "config/reader.hpp"
#include "result/result.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::ctl {

/// The words after the command's name, taken apart: --name value, --flag, and the rest in order.
class arguments {
public:
    /// `options` take a value, `flags` do not. Error: `invalid` / "usage" naming the word.
    static result<arguments> parse(std::span<const std::string> words,
                                   const std::vector<std::string>& options,
                                   const std::vector<std::string>& flags);

    bool has(std::string_view flag) const;
    std::optional<std::string> value(std::string_view option) const; ///< the last given
    std::vector<std::string> values(std::string_view option) const;

    const std::vector<std::string>& rest() const {
        return rest_;
    }

private:
    std::vector<std::pair<std::string, std::string>> given_;
    std::vector<std::string> rest_;
};

/// What every command works with.
struct context {
    config::environment environment;
};

/// One command. run() prints its answer on standard output; an error goes to standard error and
/// makes exit code 1 (2 for the slug "usage").
struct command {
    std::string name; ///< "topics", "migrate"
    std::string usage;
    std::string summary;
    std::function<result<void>(const context&, std::span<const std::string>)> run;
};

/// All of them, in the order of the help page.
std::vector<command> all_commands();

/// main() without the process: exit code 0, 1 or 2.
int run(const context& where, std::span<const std::string> words);

command migrate_command();
command topics_command();
command api_keys_command();
command events_command();
command outbox_command();
command dead_letters_command();
command lag_command();
command replay_command();
command drain_command();
command timers_command();
command cache_command();
command bans_command();
command gateway_command();

} // namespace relais::ctl
