#include "outbox/resolve.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

/// The one host name to look up; empty when there is none.
std::string name_to_resolve(const pg::keywords& how) {
    const auto host = how.find("host");
    if (host == how.end() || how.contains("hostaddr") || host->second.empty()) {
        return "";
    }
    const auto& name = host->second;
    const bool is_socket = name.front() == '/' || name.front() == '@';
    const bool is_list = name.find(',') != std::string::npos;
    boost::system::error_code not_an_address;
    asio::ip::make_address(name, not_an_address);
    return is_socket || is_list || !not_an_address ? "" : name;
}

} // namespace

asio::awaitable<result<pg::keywords>> resolve_host(pg::keywords how,
                                                   std::chrono::milliseconds at_most) {
    const auto name = name_to_resolve(how);
    if (name.empty()) {
        co_return how;
    }
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver(executor);
    asio::steady_timer timer(executor, at_most);
    auto both = asio::experimental::make_parallel_group(
        resolver.async_resolve(name, "", asio::deferred), timer.async_wait(asio::deferred));
    const auto [order, failed, found, timer_failed] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (order[0] != 0 || failed || found.empty()) {
        co_return fail(error_kind::unavailable, "database-down",
                       "cannot resolve " + name + ": " + failed.message());
    }
    how["hostaddr"] = found.begin()->endpoint().address().to_string();
    co_return how;
}

} // namespace relais::outbox
