#pragma once

#include "async/signal.hpp"
#include "result/result.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <string>

namespace relais::async {

/// The operation, or `timeout` / slug after this long; the operation is then cancelled, and waited
/// for: what ignores cancellation (a pool's job) must not be put in here.
template <class T>
boost::asio::awaitable<result<T>> with_timeout(boost::asio::awaitable<result<T>> operation,
                                               std::chrono::steady_clock::duration at_most,
                                               std::string slug) {
    using boost::asio::experimental::awaitable_operators::operator||;
    auto timer = sleep_for(at_most);
    auto first = co_await (std::move(operation) || std::move(timer));
    if (first.index() == 1) {
        co_return fail(error_kind::timeout, std::move(slug), "no answer in time");
    }
    co_return std::get<0>(std::move(first));
}

} // namespace relais::async
