#include "web-api/adapters/profile_cache.hpp"

#include <boost/asio/post.hpp>

namespace asio = boost::asio;

namespace relais::web_api {
namespace {

constexpr std::chrono::seconds kept_for{60};

/// The version is that of the rendering: a deployment that changes it reads nothing old.
std::string key_of(account_id account) {
    return "profile:v1:" + account.text();
}

} // namespace

profile_cache::profile_cache(memcache::client& client, asio::io_context& loop,
                             async::task_group& tasks)
    : client_(client), loop_(loop), tasks_(tasks) {}

asio::awaitable<memcache::lookup> profile_cache::find(account_id account) {
    if (std::chrono::steady_clock::now() < distrusted_until_) {
        co_return memcache::lookup();
    }
    auto found = co_await client_.get_or_lease(key_of(account));
    co_return found;
}

void profile_cache::keep(account_id account, std::string body, std::uint64_t lease) {
    tasks_.spawn("keep-profile",
                 client_.set_leased(key_of(account), std::move(body), kept_for, lease));
}

asio::awaitable<void> profile_cache::remove(account_id account) {
    const bool removed = co_await client_.remove(key_of(account));
    if (!removed) {
        distrusted_until_ = std::chrono::steady_clock::now() + kept_for;
    }
}

void profile_cache::forget(account_id account) {
    asio::post(loop_, [this, account] { tasks_.spawn("forget-profile", remove(account)); });
}

} // namespace relais::web_api
