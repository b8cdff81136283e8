#pragma once

#include "async/signal.hpp"
#include "clock/clock.hpp"
#include "http/client.hpp"
#include "http/identity.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace relais::gateway {

/// Who calls, and the signed header that tells the services so.
struct known_caller {
    http::identity who;
    std::string signed_header;
};

/// What web-api said of a token, and how long it may be believed.
struct introspection {
    std::optional<known_caller> caller; ///< nothing: the token is not (or no longer) valid
    std::chrono::steady_clock::time_point valid_until;
    timestamp signed_at{};

    /// Also asks the wall clock, with which services compare the header's times, and which may have
    /// been set since.
    bool holds(std::chrono::steady_clock::time_point steady_now, timestamp now) const;
};

/// Finds out who an opaque token belongs to. Answers of web-api are kept for a short time, a
/// revocation (by event) ends them at once, and requests with the same unknown token ask once
/// together. An identity is signed once per answer, not per request. Tokens are kept as SHA-256
/// only. Used on the loop's thread.
class introspector {
public:
    introspector(std::vector<http::client*> web_api, const http::identity_signer& signer,
                 const clock& time, boost::asio::io_context& loop, metrics::registry& metrics);

    /// Error: `unavailable` / "introspection-failed": web-api cannot be asked.
    boost::asio::awaitable<result<introspection>> resolve(std::string token, trace::context where);

    /// A credential was revoked: what is cached of it ends now, and an answer that is on its way
    /// and was asked before is not believed.
    void revoke(const std::string& credential_id);

private:
    struct flight;

    boost::asio::awaitable<result<introspection>> ask(std::string token, trace::context where);
    boost::asio::awaitable<result<introspection>> ask_and_keep(std::string key, std::string token,
                                                               trace::context where);
    result<introspection> read_answer(const http::response& answer) const;
    void keep(const std::string& key, const introspection& found);

    std::vector<http::client*> web_api_;
    const http::identity_signer& signer_;
    std::size_t next_ = 0;
    const clock& time_;
    boost::asio::io_context& loop_;
    std::unordered_map<std::string, introspection> known_;
    std::list<std::string> order_; ///< oldest first, to bound the cache
    std::unordered_map<std::string, std::shared_ptr<flight>> flights_;
    std::unordered_map<std::string, std::chrono::steady_clock::time_point> revoked_;
    metrics::counter hits_;
    metrics::counter misses_;
    metrics::counter revocations_;
};

} // namespace relais::gateway
