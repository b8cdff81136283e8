#pragma once

#include "postgres/connection_string.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace relais::outbox {

/// Looks up the host's address without blocking the loop (libpq would, in the middle of a "start")
/// and adds it as `hostaddr`; the name stays for TLS. Sockets, addresses and lists of hosts stay as
/// they are. Error: `unavailable` / "database-down".
boost::asio::awaitable<result<pg::keywords>> resolve_host(pg::keywords how,
                                                          std::chrono::milliseconds at_most);

} // namespace relais::outbox
