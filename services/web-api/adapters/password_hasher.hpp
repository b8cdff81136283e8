#pragma once

#include "async/worker_pool.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace relais::web_api {

struct password_hasher_settings {
    std::size_t threads = 1;
    std::size_t queue_max = 32;
    std::size_t memory_kib = 19'456; ///< OWASP's floor for Argon2id with t=2, p=1
    std::uint64_t passes = 2;
};

/// Argon2id (libsodium) on threads of its own: a storm of log-ins queues here, and what does not
/// fit the queue is refused at once, so that no other request waits for it.
class password_hasher {
public:
    using deadline = async::worker_pool::deadline;

    password_hasher(password_hasher_settings settings, metrics::registry& metrics);

    /// The PHC string to store. Errors: `unavailable` / "argon2-pool-full" with retry_after,
    /// `timeout` / "argon2-pool-deadline".
    boost::asio::awaitable<result<std::string>> hash(std::string password, deadline until);

    struct verdict {
        bool matches = false;
        bool outdated = false; ///< matches, but was made with other parameters: hash it again
    };

    /// Takes the same time whether it matches or not, and for unknown_password_hash(). Errors: as
    /// hash().
    boost::asio::awaitable<result<verdict>> verify(std::string phc, std::string password,
                                                   deadline until);

    /// A hash that nobody knows the password of, with the current parameters: who logs in with an
    /// unknown address is verified against it.
    const std::string& unknown_password_hash() const {
        return unknown_;
    }

    void stop();

private:
    std::string compute(const std::string& password) const;

    password_hasher_settings settings_;
    async::worker_pool pool_;
    std::string unknown_;
};

} // namespace relais::web_api
