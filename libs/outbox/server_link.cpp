#include "outbox/server_link.hpp"

#include "outbox/pq_result.hpp"
#include "outbox/resolve.hpp"
#include "outbox/turn.hpp"
#include "postgres/transaction.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <libpq-fe.h>
#include <unistd.h>

namespace asio = boost::asio;

namespace relais::outbox {

namespace {

using steady = std::chrono::steady_clock;
using wait_type = asio::posix::stream_descriptor::wait_type;

std::unexpected<refusal> refused(std::string sqlstate, std::string message) {
    return std::unexpected(refusal{std::move(sqlstate), std::move(message)});
}

std::unexpected<refusal> refused_by(const PGresult* answer, const char* message) {
    const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    return refused(state == nullptr ? "" : state, first_line(message));
}

} // namespace

error refusal::as_error() const {
    return pg::classify(sqlstate, message);
}

struct server_link::impl {
    asio::io_context& loop;
    std::unique_ptr<PGconn, close_connection> connection;
    std::optional<asio::posix::stream_descriptor> socket; // a duplicate: libpq closes its own
    async::signal turn_over{loop};
    bool in_query = false;

    std::unexpected<refusal> lost() const {
        return refused("", first_line(PQerrorMessage(connection.get())));
    }

    void watch_socket() {
        socket.emplace(loop, ::dup(PQsocket(connection.get())));
    }

    asio::awaitable<bool> ready(wait_type what, std::optional<steady::time_point> until);
    asio::awaitable<link_result<void>> connect(steady::time_point until);
    asio::awaitable<link_result<void>> flush(steady::time_point until);
    asio::awaitable<link_result<result_handle>> next_result(steady::time_point until);
};

/// False when the time ran out first. Throws operation_aborted when the task is cancelled.
asio::awaitable<bool> server_link::impl::ready(wait_type what,
                                               std::optional<steady::time_point> until) {
    asio::steady_timer timer(loop, until.value_or(steady::time_point::max()));
    auto both = asio::experimental::make_parallel_group(socket->async_wait(what, asio::deferred),
                                                        timer.async_wait(asio::deferred));
    const auto [order, socket_failed, timer_failed] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return order[0] == 0;
}

asio::awaitable<link_result<void>> server_link::impl::connect(steady::time_point until) {
    while (true) {
        const auto step = PQconnectPoll(connection.get());
        if (step == PGRES_POLLING_OK) {
            PQsetnonblocking(connection.get(), 1);
            watch_socket();
            co_return link_result<void>();
        }
        if (step == PGRES_POLLING_FAILED) {
            co_return lost();
        }
        watch_socket(); // it may be another one at each step
        const auto what =
            step == PGRES_POLLING_READING ? wait_type::wait_read : wait_type::wait_write;
        const bool in_time = co_await ready(what, until);
        if (!in_time) {
            co_return refused("", "no answer while connecting");
        }
    }
}

asio::awaitable<link_result<void>> server_link::impl::flush(steady::time_point until) {
    while (true) {
        const int left = PQflush(connection.get());
        if (left == 0) {
            co_return link_result<void>();
        }
        if (left < 0) {
            co_return lost();
        }
        const bool in_time = co_await ready(wait_type::wait_write, until);
        if (!in_time) {
            co_return refused("", "the server does not read");
        }
    }
}

/// Null at the end of a request's results.
asio::awaitable<link_result<result_handle>>
server_link::impl::next_result(steady::time_point until) {
    while (PQisBusy(connection.get()) != 0) {
        const bool in_time = co_await ready(wait_type::wait_read, until);
        if (!in_time) {
            co_return refused("", "no answer in time");
        }
        if (PQconsumeInput(connection.get()) == 0) {
            co_return lost();
        }
    }
    co_return result_handle(PQgetResult(connection.get()));
}

server_link::server_link(std::unique_ptr<impl> inner) : impl_(std::move(inner)) {}

server_link::~server_link() = default;

asio::awaitable<link_result<std::unique_ptr<server_link>>>
server_link::open(asio::io_context& loop, pg::keywords how, std::chrono::milliseconds at_most) {
    const auto until = steady::now() + at_most;
    auto resolved = co_await resolve_host(how, at_most);
    if (!resolved) {
        co_return refused("", resolved.error().detail);
    }
    const auto text = pg::to_connection_string(*resolved);
    auto inner = std::make_unique<impl>(
        impl{loop, std::unique_ptr<PGconn, close_connection>(PQconnectStart(text.c_str())), {}});
    if (!inner->connection || PQstatus(inner->connection.get()) == CONNECTION_BAD) {
        co_return inner->lost();
    }
    // Else warnings go to standard error.
    PQsetNoticeProcessor(inner->connection.get(), [](void*, const char*) {}, nullptr);
    inner->watch_socket();
    const bool writable = co_await inner->ready(wait_type::wait_write, until);
    if (!writable) {
        co_return refused("", "no answer while connecting");
    }
    const auto connected = co_await inner->connect(until);
    if (!connected) {
        co_return std::unexpected(connected.error());
    }
    co_return std::unique_ptr<server_link>(new server_link(std::move(inner)));
}

asio::awaitable<link_result<text_rows>>
server_link::query(std::string sql, std::vector<std::optional<std::string>> parameters,
                   std::chrono::milliseconds at_most) {
    while (impl_->in_query) {
        co_await impl_->turn_over.wait();
    }
    const turn mine(impl_->in_query, impl_->turn_over);
    const auto until = steady::now() + at_most;
    auto* connection = impl_->connection.get();
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& each : parameters) {
        values.push_back(each ? each->c_str() : nullptr);
    }
    // Without parameters the simple protocol: replication connections know no other.
    const int sent =
        values.empty() ? PQsendQuery(connection, sql.c_str())
                       : PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()),
                                           nullptr, values.data(), nullptr, nullptr, 0);
    if (sent == 0) {
        co_return impl_->lost();
    }
    const auto flushed = co_await impl_->flush(until);
    if (!flushed) {
        co_return std::unexpected(flushed.error());
    }
    link_result<text_rows> answer;
    while (true) {
        auto next = co_await impl_->next_result(until);
        if (!next) {
            co_return std::unexpected(next.error());
        }
        if (!*next) {
            co_return answer;
        }
        const auto status = PQresultStatus(next->get());
        if (status == PGRES_TUPLES_OK) {
            answer = rows_of(next->get());
        } else if (status != PGRES_COMMAND_OK) {
            answer =
                refused_by(next->get(), PQresultErrorField(next->get(), PG_DIAG_MESSAGE_PRIMARY));
        }
    }
}

asio::awaitable<link_result<void>> server_link::start_streaming(std::string command,
                                                                std::chrono::milliseconds at_most) {
    const auto until = steady::now() + at_most;
    if (PQsendQuery(impl_->connection.get(), command.c_str()) == 0) {
        co_return impl_->lost();
    }
    const auto flushed = co_await impl_->flush(until);
    if (!flushed) {
        co_return std::unexpected(flushed.error());
    }
    auto begun = co_await impl_->next_result(until);
    if (!begun) {
        co_return std::unexpected(begun.error());
    }
    if (PQresultStatus(begun->get()) == PGRES_COPY_BOTH) {
        co_return link_result<void>();
    }
    auto why = refused_by(begun->get(), PQresultErrorField(begun->get(), PG_DIAG_MESSAGE_PRIMARY));
    while (*begun) { // read on to the end, so that the next command can be sent
        begun = co_await impl_->next_result(until);
        if (!begun) {
            co_return std::unexpected(begun.error());
        }
    }
    co_return why;
}

link_result<std::optional<std::string>> server_link::take_message() {
    auto* connection = impl_->connection.get();
    char* bytes = nullptr;
    int size = PQgetCopyData(connection, &bytes, 1);
    if (size == 0) { // libpq has none left; the socket may have
        if (PQconsumeInput(connection) == 0) {
            return impl_->lost();
        }
        size = PQgetCopyData(connection, &bytes, 1);
    }
    if (size > 0) {
        std::string message(bytes, static_cast<std::size_t>(size));
        PQfreemem(bytes);
        return message;
    }
    if (size == 0) {
        return std::nullopt;
    }
    // The stream ended: by an error, whose result follows, or by a lost connection.
    const result_handle last(PQgetResult(connection));
    return refused_by(last.get(), PQerrorMessage(connection));
}

asio::awaitable<void> server_link::wait_for_input() {
    co_await impl_->ready(wait_type::wait_read, std::nullopt);
}

link_result<void> server_link::send_message(const std::string& bytes) {
    auto* connection = impl_->connection.get();
    // 0: libpq's buffer is full, the server does not read. The next message says the same or more.
    const int put = PQputCopyData(connection, bytes.data(), static_cast<int>(bytes.size()));
    if (put < 0 || PQflush(connection) < 0) {
        return impl_->lost();
    }
    return {};
}

} // namespace relais::outbox
