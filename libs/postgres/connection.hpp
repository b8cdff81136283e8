#pragma once

#include "postgres/transaction.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace relais::pg::detail {

class keeper;

/// Inside this library only: one session with the server, used by one thread at a time. libpqxx and
/// its exceptions stay behind it: everything throws pg::failure.
class connection {
public:
    using deadline = std::chrono::steady_clock::time_point;

    /// Gives up after `at_most` (resolving a name excepted). The keeper, when there is one, cuts
    /// statements that get no answer at all; it must outlive the connection.
    static std::unique_ptr<connection> open(const std::string& connection_string,
                                            std::chrono::milliseconds at_most, keeper* watch);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Prepares the statement on its first use here.
    rows exec(std::string_view sql, std::span<const parameter> parameters, deadline until);

    /// Statements separated by semicolons, in one round trip.
    void script(std::string_view sql, deadline until);

    /// Open, and the idle socket is silent: a server that went away has left its farewell there.
    bool usable() const;

    /// Whether it can still be used after a failure.
    bool broken() const;

    /// Of the session at the moment; set by what the pool sends.
    std::chrono::milliseconds statement_timeout{0};

private:
    struct impl;
    explicit connection(std::unique_ptr<impl> inner);
    std::unique_ptr<impl> impl_;
};

} // namespace relais::pg::detail
