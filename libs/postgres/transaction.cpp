#include "postgres/transaction.hpp"

#include "clock/rfc3339.hpp"
#include "postgres/connection.hpp"
#include "postgres/text_format.hpp"
#include "postgres/transaction_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace relais::pg {

parameter::parameter(double number) {
    if (std::isnan(number)) {
        text_ = "NaN";
    } else if (std::isinf(number)) {
        text_ = number > 0 ? "Infinity" : "-Infinity";
    } else {
        text_ = fmt::format("{}", number);
    }
}

parameter::parameter(timestamp time) : text_(to_rfc3339(time)) {}

parameter parameter::bytes(std::span<const std::uint8_t> value) {
    return bytes(std::string_view(reinterpret_cast<const char*>(value.data()), value.size()));
}

parameter parameter::bytes(std::string_view value) {
    return to_bytea(value);
}

parameter parameter::array(const std::vector<std::string>& values) {
    return to_array(values);
}

rows transaction::exec(std::string_view sql, std::initializer_list<parameter> parameters) {
    return detail::exec(*state_, sql, {parameters.begin(), parameters.size()});
}

rows transaction::exec(std::string_view sql, const std::vector<parameter>& parameters) {
    return detail::exec(*state_, sql, parameters);
}

void transaction::exec_script(std::string_view sql) {
    detail::exec_script(*state_, sql);
}

void transaction::after_commit(std::function<void()> action) {
    state_->after_commit.push_back(std::move(action));
}

void transaction::watch_changes(std::function<void(std::string_view, std::size_t)> told) {
    state_->on_change = std::move(told);
}

namespace detail {
namespace {

/// Whether a statement only reads. A wrong no costs a retry; functions that write under SELECT are
/// not used with pool::read.
bool is_select(std::string_view sql) {
    constexpr std::string_view word = "select";
    const auto begin = sql.find_first_not_of(" \n\t");
    if (begin == std::string_view::npos) {
        return false;
    }
    return std::ranges::equal(sql.substr(begin, word.size()), word, {},
                              [](char c) { return static_cast<char>(c | 0x20); });
}

/// A statement that failed aborts the transaction, unless it goes back to a savepoint.
template <class Statement>
auto tracked(transaction_state& state, std::string_view sql, const Statement& run) {
    state.only_reads = state.only_reads && is_select(sql);
    try {
        auto answer = run();
        if (sql.starts_with("rollback to")) {
            state.aborted_by.reset();
        }
        return answer;
    } catch (const failure& failed) {
        state.aborted_by = failed.reason();
        throw;
    }
}

} // namespace

rows exec(transaction_state& state, std::string_view sql, std::span<const parameter> parameters) {
    auto answer =
        tracked(state, sql, [&] { return state.link.exec(sql, parameters, state.until); });
    if (state.on_change && !is_select(sql) && answer.affected() > 0) {
        state.on_change(sql, answer.affected());
    }
    return answer;
}

void exec_script(transaction_state& state, std::string_view sql) {
    tracked(state, sql, [&] {
        state.link.script(sql, state.until);
        return true;
    });
}

} // namespace detail
} // namespace relais::pg
