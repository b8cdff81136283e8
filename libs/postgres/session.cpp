#include "postgres/session.hpp"

#include "postgres/transaction_state.hpp"

#include <fmt/format.h>

#include <array>

namespace relais::pg::detail {
namespace {

std::chrono::milliseconds left_until(connection::deadline until) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(until -
                                                                 std::chrono::steady_clock::now());
}

void begin(session& on, run_mode mode, std::chrono::milliseconds timeout,
           connection::deadline until) {
    on.link->statement_timeout = timeout;
    const bool same = on.server_timeout == timeout;
    if (mode == run_mode::transaction) {
        const auto local = fmt::format("begin; set local statement_timeout = {}", timeout.count());
        on.link->script(same ? "begin" : local, until);
    } else if (!same) {
        on.link->script(fmt::format("set statement_timeout = {}", timeout.count()), until);
        on.server_timeout = timeout;
    }
}

/// Ends the open transaction; a connection on which that fails is thrown away.
void roll_back(session& on, run_mode mode, connection::deadline until) {
    if (mode == run_mode::statement || !on.link || on.link->broken()) {
        return;
    }
    try {
        // Also after the deadline: it is quick, and the alternative is a new connection.
        on.link->script("rollback", std::max(until, std::chrono::steady_clock::now() +
                                                        std::chrono::milliseconds(500)));
    } catch (const failure&) {
        on.link.reset();
    }
}

struct progress {
    bool committing = false;
    bool only_reads = true;
};

/// The transaction may be run again after a lost connection unless it may have been committed.
attempt after_loss(session& on, run_mode mode, const failure& failed, const progress& was) {
    on.link.reset();
    const bool told = !failed.sqlstate().empty(); // the server itself said that it stopped
    const bool in_doubt =
        was.committing || (mode == run_mode::statement && !was.only_reads && !told);
    if (in_doubt) {
        return {fail(error_kind::timeout, "commit-in-doubt",
                     "the connection broke while the outcome was under way")};
    }
    const bool cut = failed.reason().kind == error_kind::timeout;
    return {std::unexpected(failed.reason()), cut ? retry::no : retry::lost};
}

attempt after_failure(session& on, run_mode mode, const failure& failed, const progress& was,
                      connection::deadline until) {
    if (on.link->broken()) {
        return after_loss(on, mode, failed, was);
    }
    if (failed.sqlstate() == "0A000" && !was.committing) {
        // "cached plan must not change result type": a migration ran; prepare everything again.
        on.link.reset();
        return {std::unexpected(failed.reason()), retry::lost};
    }
    roll_back(on, mode, until);
    const bool conflict = failed.sqlstate() == "40001" || failed.sqlstate() == "40P01";
    return {std::unexpected(failed.reason()), conflict ? retry::conflict : retry::no};
}

} // namespace

std::chrono::milliseconds timeout_step(std::chrono::milliseconds usual,
                                       std::chrono::milliseconds left) {
    if (left >= usual) {
        return usual;
    }
    constexpr std::array steps{30'000, 10'000, 5'000, 2'000, 1'000, 500, 250, 100};
    for (const auto step : steps) {
        if (left.count() >= step) {
            return std::chrono::milliseconds(step);
        }
    }
    return std::chrono::milliseconds(50);
}

attempt run_once(session& on, run_mode mode, const std::function<result<void>(transaction&)>& work,
                 std::chrono::milliseconds statement_timeout, connection::deadline until) {
    const auto timeout = timeout_step(statement_timeout, left_until(until));
    transaction_state state{.link = *on.link, .until = until};
    progress was;
    try {
        begin(on, mode, timeout, until);
        transaction tx(state);
        auto done = work(tx);
        was.only_reads = state.only_reads;
        if (done && state.aborted_by) {
            done = std::unexpected(*state.aborted_by); // COMMIT would roll back without a word
        }
        if (!done) {
            roll_back(on, mode, until);
            return {done};
        }
        if (mode == run_mode::transaction) {
            was.committing = true;
            on.link->script("commit", until);
        }
    } catch (const failure& failed) {
        was.only_reads = state.only_reads;
        return after_failure(on, mode, failed, was, until);
    } catch (...) {
        roll_back(on, mode, until);
        throw;
    }
    for (const auto& action : state.after_commit) {
        action();
    }
    return {{}};
}

} // namespace relais::pg::detail
