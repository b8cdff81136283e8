#include "web-api/adapters/password_hasher.hpp"

#include "ids/encoding.hpp"
#include "ids/random.hpp"

#include <sodium.h>

#include <array>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::web_api {
namespace {

constexpr std::chrono::seconds retry_when_full{2};

/// Who is refused because of the others' passwords is told when to come back.
error with_retry_after(error failed) {
    if (failed.kind == error_kind::unavailable) {
        failed.retry_after = retry_when_full;
    }
    return failed;
}

} // namespace

password_hasher::password_hasher(password_hasher_settings settings, metrics::registry& metrics)
    : settings_(settings), pool_({"argon2", settings.threads, settings.queue_max}, metrics) {
    if (sodium_init() < 0) {
        throw std::runtime_error("libsodium cannot be initialised");
    }
    std::array<std::uint8_t, 32> nobody_knows{};
    random_bytes(nobody_knows);
    unknown_ = compute(to_hex(nobody_knows));
}

std::string password_hasher::compute(const std::string& password) const {
    std::array<char, crypto_pwhash_STRBYTES> phc{};
    if (crypto_pwhash_str_alg(phc.data(), password.data(), password.size(), settings_.passes,
                              settings_.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        throw std::runtime_error("Argon2id could not get its memory");
    }
    return phc.data();
}

asio::awaitable<result<std::string>> password_hasher::hash(std::string password, deadline until) {
    auto job = [this, password = std::move(password)](std::size_t) -> result<std::string> {
        return compute(password);
    };
    auto hashed = co_await pool_.run(std::move(job), until);
    if (!hashed) {
        co_return std::unexpected(with_retry_after(hashed.error()));
    }
    co_return hashed;
}

asio::awaitable<result<password_hasher::verdict>>
password_hasher::verify(std::string phc, std::string password, deadline until) {
    auto job = [this, phc = std::move(phc),
                password = std::move(password)](std::size_t) -> result<verdict> {
        const bool matches =
            crypto_pwhash_str_verify(phc.c_str(), password.data(), password.size()) == 0;
        const bool outdated =
            matches && crypto_pwhash_str_needs_rehash(phc.c_str(), settings_.passes,
                                                      settings_.memory_kib * 1024) != 0;
        return verdict{matches, outdated};
    };
    auto verified = co_await pool_.run(std::move(job), until);
    if (!verified) {
        co_return std::unexpected(with_retry_after(verified.error()));
    }
    co_return verified;
}

void password_hasher::stop() {
    pool_.stop();
}

} // namespace relais::web_api
