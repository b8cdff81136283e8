#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// Who may make a transition happen.
enum class actor {
    requester, ///< the owner of the job
    provider,  ///< anybody but the owner of the job
    rule,      ///< nobody: it follows from another transition
};

/// One line of the table below: `thing` goes from one of `from` to `to`. An empty `from` creates
/// it.
struct transition {
    std::string_view thing; ///< "job" or "offer"
    std::string_view name;
    std::vector<std::string_view> from;
    std::string_view to;
    web_api::actor actor;
    std::vector<std::string_view> events; ///< the protobuf messages it publishes
};

/// Everything that can happen to jobs and offers, as data: handlers, SQL, the OpenAPI document's
/// enumerations and the tests all read this one table.
const std::vector<transition>& lifecycle();

/// The line with this thing and name; not finding it is a bug (throws std::logic_error).
const transition& transition_of(std::string_view thing, std::string_view name);

/// Whether the transition may be made from this state. Error: `conflict` / "state-conflict"; the
/// detail names the state the thing is in.
result<void> check_transition(const transition& wanted, std::string_view current);

/// All states of a thing, in the order in which the table mentions them.
std::vector<std::string> states_of(std::string_view thing);

/// The `from` column for `state = any($1)`.
std::vector<std::string> states_before(const transition& wanted);

} // namespace relais::web_api
