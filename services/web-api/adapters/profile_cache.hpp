#pragma once

#include "async/task_group.hpp"
#include "ids/id.hpp"
#include "memcache/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace relais::web_api {

/// Rendered profiles in memcached. A change forgets the profile after its commit; a reader that was
/// under way cannot bring the old one back, because its lease ended. When memcached cannot be told
/// of a change it may hold the old profile for as long as profiles are kept; until then this
/// instance reads none from it. (Another instance that could reach it all the time may show the old
/// one for at most a minute.)
class profile_cache {
public:
    profile_cache(memcache::client& client, boost::asio::io_context& loop,
                  async::task_group& tasks);

    boost::asio::awaitable<memcache::lookup> find(account_id account);
    /// Nobody waits for it.
    void keep(account_id account, std::string body, std::uint64_t lease);

    /// From any thread; after the commit of what changed.
    void forget(account_id account);

private:
    boost::asio::awaitable<void> remove(account_id account);

    std::chrono::steady_clock::time_point distrusted_until_{};
    memcache::client& client_;
    boost::asio::io_context& loop_;
    async::task_group& tasks_;
};

} // namespace relais::web_api
