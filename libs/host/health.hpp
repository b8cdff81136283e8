#pragma once

#include "config/reader.hpp"

#include <string>
#include <string_view>

namespace relais::host {

/// Where a process reaches its own listener: the address it listens on, or loopback when that is
/// every address.
std::string own_url(const config::endpoint& listen);

/// What `--health` (path /readyz) and `--alive` (/livez) do: ask the admin listener of the process
/// that runs here with the same configuration. Returns the exit code: 0 when it answers 200, else
/// 1 with the reason on standard error. Blocks for at most three seconds.
int ask_admin(const config::endpoint& listen, std::string_view path);

} // namespace relais::host
