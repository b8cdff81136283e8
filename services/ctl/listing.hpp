#pragma once

#include "ctl/command.hpp"
#include "http/json_writer.hpp"
#include "postgres/transaction.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace relais::ctl {

/// How a command lists what the chosen services' databases hold.
struct listing {
    std::string_view name; ///< of the JSON array
    std::string_view none; ///< what is said when there is nothing; empty: nothing is
    std::chrono::seconds at_most{5};
};

/// With --json prints one object with one array, else whatever `add` prints itself. add() writes
/// the array's elements of one service and returns how many they were.
result<void>
print_listing(const context& where, const arguments& given, const listing& what,
              const std::function<std::size_t(pg::transaction&, const std::string& service,
                                              http::json_writer&)>& add);

} // namespace relais::ctl
