#pragma once

#include "ctl/command.hpp"
#include "http/json_writer.hpp"
#include "timers/inspect.hpp"

namespace relais::ctl {

/// One timer, as an object and as a line.
void write_timer(http::json_writer& json, const std::string& service, const timers::timer_row& row);
void print_timer(const std::string& service, const timers::timer_row& row);

/// timers list, timers kinds.
result<void> list_timers(const context& where, const arguments& given);
result<void> count_timers(const context& where, const arguments& given);

} // namespace relais::ctl
