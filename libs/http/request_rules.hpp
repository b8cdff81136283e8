#pragma once

#include "http/gate_lines.hpp"

// Internal: what must hold of a request, whichever version of HTTP brought it.
namespace relais::http::detail {

/// The refusal as what the gate returns.
std::unexpected<error> refuse(const refusal& why);

/// Empties a head; its memory is kept.
void reset(request_head& head);

/// Sets head.method to a known one, which outlives what is read.
refusal read_method(std::string_view method, request_head& head);

/// origin-form without a host: a path, or "*" for OPTIONS, and a query.
refusal read_path(std::string_view target, const gate_limits& limits, request_head& head);

/// The only Host field and its value's form; nullptr in `host`: there is none.
refusal find_host(request_head& head, field_view*& host);

/// Names with '_' go: readers that follow CGI take them for '-'.
void drop_underscored(request_head& head);

refusal read_expectation(request_head& head);

} // namespace relais::http::detail
