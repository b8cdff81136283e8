#pragma once

#include "postgres/connection.hpp"
#include "postgres/outage_gate.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace relais::pg::detail {

/// Inside this library only: one thread's place in the pool. Its connection may be missing.
struct session {
    std::mutex busy; ///< held by the thread while it works, by the keeper while it looks
    std::unique_ptr<connection> link;
    std::chrono::milliseconds server_timeout{0}; ///< statement_timeout as the server has it now
};

enum class run_mode { transaction, statement };

/// What to do after an attempt.
enum class retry { no, conflict, lost };

struct attempt {
    result<void> answer;
    detail::retry retry = retry::no;
};

/// The statement timeout for work that must end in `left`: the usual one, or the next lower of a
/// few steps, so that the setting is rarely sent.
std::chrono::milliseconds timeout_step(std::chrono::milliseconds usual,
                                       std::chrono::milliseconds left);

/// Runs the function once on an open connection. May leave `on.link` empty: it broke.
attempt run_once(session& on, run_mode mode, const std::function<result<void>(transaction&)>& work,
                 std::chrono::milliseconds statement_timeout, connection::deadline until);

} // namespace relais::pg::detail
