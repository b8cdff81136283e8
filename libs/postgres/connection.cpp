#include "postgres/connection.hpp"

#include "postgres/keeper.hpp"
#include "postgres/rows_state.hpp"

#include <fmt/format.h>
#include <pqxx/connection>
#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/params>
#include <pqxx/prepared_statement>

#include <map>
#include <poll.h>

namespace relais::pg::detail {
namespace {

/// A dynamic statement that slips in must not fill the server's memory.
constexpr std::size_t statements_max = 500;

/// How much longer than statement_timeout the server may take to tell us about it.
constexpr std::chrono::milliseconds answer_grace{500};

std::string first_line(std::string_view message) {
    return std::string(message.substr(0, message.find('\n')));
}

/// The violated constraint: the last quoted name of the primary message.
std::string constraint_in(std::string_view sqlstate, std::string_view message) {
    const auto end = message.rfind('"');
    if (!sqlstate.starts_with("23") || end == std::string_view::npos || end == 0) {
        return "";
    }
    const auto begin = message.rfind('"', end - 1);
    return begin == std::string_view::npos
               ? ""
               : std::string(message.substr(begin + 1, end - begin - 1));
}

/// Runs the call and turns whatever libpqxx throws into pg::failure. Only the first line of a
/// message is kept: the rest (DETAIL) may show values, that is, personal data.
template <class Call>
auto translated(const Call& call) {
    try {
        return call();
    } catch (const pqxx::sql_error& failed) {
        const auto message = first_line(failed.what());
        throw failure(classify(failed.sqlstate(), message), failed.sqlstate(),
                      constraint_in(failed.sqlstate(), message));
    } catch (const pqxx::broken_connection& failed) {
        throw failure(classify("", first_line(failed.what())), "", "");
    } catch (const pqxx::failure& failed) {
        throw failure(classify("XX000", first_line(failed.what())), "XX000", "");
    }
}

[[noreturn]] void throw_down(std::string_view why) {
    throw failure(classify("", why), "", "");
}

void wait_for(int socket, bool to_read, bool to_write, connection::deadline until) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waited{socket, static_cast<short>((to_read ? POLLIN : 0) | (to_write ? POLLOUT : 0)), 0};
    if (left.count() <= 0 || ::poll(&waited, 1, static_cast<int>(left.count())) == 0) {
        throw_down("no answer while connecting");
    }
}

pqxx::params to_params(std::span<const parameter> parameters) {
    pqxx::params converted;
    converted.reserve(parameters.size());
    for (const auto& value : parameters) {
        if (value.text()) {
            // The caller's string outlives the call: no copy.
            converted.append(pqxx::zview(*value.text()));
        } else {
            converted.append();
        }
    }
    return converted;
}

} // namespace

struct connection::impl {
    pqxx::connection session;
    keeper* watch = nullptr;
    std::map<std::string, std::string, std::less<>> statements;
    bool lost = false;

    explicit impl(pqxx::connection opened) : session(std::move(opened)) {}

    /// Runs one request to the server under the keeper's eye.
    template <class Call>
    auto watched(deadline until, std::chrono::milliseconds server_limit, const Call& call) {
        const auto now = std::chrono::steady_clock::now();
        const auto latest = server_limit.count() > 0 ? std::min(until, now + server_limit) : until;
        const keeper::guard guard(watch, session.sock(), std::max(latest, now) + answer_grace);
        try {
            return translated(call);
        } catch (const failure& failed) {
            lost = lost || failed.reason().slug == "database-down" || !session.is_open();
            if (guard.cut_by_silence()) {
                lost = true;
                throw failure(classify("", "the server answers nobody"), "", "");
            }
            if (guard.cut()) {
                throw failure(error{error_kind::timeout, "database-timeout",
                                    "the server did not answer", "", std::nullopt},
                              "", "");
            }
            throw;
        }
    }

    /// The name under which the statement is prepared here; empty when the cache is full.
    std::string prepared(std::string_view sql) {
        const auto known = statements.find(sql);
        if (known != statements.end()) {
            return known->second;
        }
        if (statements.size() >= statements_max) {
            return "";
        }
        const auto name = fmt::format("s{}", statements.size());
        const std::string text(sql);
        session.prepare(name.c_str(), text.c_str());
        statements.emplace(text, name);
        return name;
    }
};

connection::connection(std::unique_ptr<impl> inner) : impl_(std::move(inner)) {}

connection::~connection() = default;

std::unique_ptr<connection> connection::open(const std::string& connection_string,
                                             std::chrono::milliseconds at_most, keeper* watch) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    return translated([&] {
        pqxx::connecting attempt{pqxx::zview(connection_string)};
        while (!attempt.done()) {
            wait_for(attempt.sock(), attempt.wait_to_read(), attempt.wait_to_write(), until);
            attempt.process();
        }
        auto inner = std::make_unique<impl>(std::move(attempt).produce());
        inner->watch = watch;
        inner->session.set_verbosity(pqxx::error_verbosity::terse);
        inner->session.set_notice_handler([](pqxx::zview) {}); // else it goes to standard error
        return std::unique_ptr<connection>(new connection(std::move(inner)));
    });
}

rows connection::exec(std::string_view sql, std::span<const parameter> parameters, deadline until) {
    auto answer = impl_->watched(until, statement_timeout, [&] {
        pqxx::nontransaction scope(impl_->session);
        const auto name = impl_->prepared(sql);
        const auto values = to_params(parameters);
        return name.empty() ? scope.exec(pqxx::zview(std::string(sql)), values)
                            : scope.exec(pqxx::prepped(name), values);
    });
    return rows(std::make_shared<const rows_state>(std::move(answer)));
}

void connection::script(std::string_view sql, deadline until) {
    impl_->watched(until, statement_timeout, [&] {
        pqxx::nontransaction scope(impl_->session);
        return scope.exec(sql);
    });
}

bool connection::usable() const {
    if (broken()) {
        return false;
    }
    pollfd idle{impl_->session.sock(), POLLIN, 0};
    return ::poll(&idle, 1, 0) == 0;
}

bool connection::broken() const {
    return impl_->lost || !impl_->session.is_open();
}

} // namespace relais::pg::detail
