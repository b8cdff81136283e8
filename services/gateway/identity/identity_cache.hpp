#pragma once

#include "gateway/identity/introspector.hpp"
#include "gateway/loop/edge_loop.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relais::gateway {

/// Whoever waits to hear who a token belongs to.
class identity_user {
public:
    /// The caller (during this call), or nullptr: the token is not valid. Error: nobody can be
    /// asked.
    virtual void on_identity(const result<const known_caller*>& who) = 0;

protected:
    ~identity_user() = default;
};

/// What one event loop knows of who tokens belong to: a copy of the introspector's answers for as
/// long as these hold, so that a known token costs a look-up. Tokens themselves are not kept, only
/// a keyed hash of them (SipHash-2-4-128 under a key of this process). Requests with the same
/// unknown token ask once together.
class identity_cache {
public:
    /// Asks the introspector, which lives on another thread; the answer comes on this loop's.
    using ask_function = std::function<void(std::string token, const trace::context& where,
                                            std::function<void(result<introspection>)> answer)>;

    identity_cache(edge_loop& loop, ask_function ask, std::size_t entries_max = 100'000);

    /// What is known: nullopt: nothing; nullptr: the token is not valid.
    std::optional<const known_caller*> find(std::string_view token);

    /// The user is told later, never within the call; until then, or forget(), it stays.
    void ask(std::string_view token, const trace::context& where, identity_user& who);
    void forget(identity_user& who);

    /// What is known of this credential is over.
    void revoke(const std::string& credential_id);

private:
    using key = std::array<std::uint8_t, 16>;

    struct key_hash {
        std::size_t operator()(const key& of) const;
    };

    struct flight {
        key token;
        std::vector<identity_user*> waiting;
    };

    key key_of(std::string_view token) const;
    bool holds(const introspection& known) const;
    void keep(const key& token, introspection known);
    void unlink(const introspection& known, const key& token);
    void land(const key& token, result<introspection> answer);

    edge_loop& loop_;
    ask_function ask_;
    std::size_t entries_max_;
    std::array<std::uint8_t, 16> secret_{};
    std::unordered_map<key, introspection, key_hash> known_;
    std::deque<key> order_; ///< oldest first, to bound the cache
    std::unordered_multimap<std::string, key> by_credential_;
    std::vector<flight> flights_;
};

} // namespace relais::gateway
