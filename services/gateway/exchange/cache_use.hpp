#pragma once

#include "gateway/cache/response_cache.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace relais::gateway {

/// What one request has to do with the cache. Reused from request to request; on routes without a
/// cache only `ticket` is ever looked at.
struct cache_use {
    std::string key;          ///< empty: nothing to do with it
    bool leads = false;       ///< others may wait for what the service says: the cache must be told
    bool refreshes = false;   ///< nobody waits for this answer; the cache does
    bool joined = false;      ///< waited for somebody else's
    bool changes = false;     ///< an unsafe method: what is kept of the key is old afterwards
    std::uint64_t ticket = 0; ///< of this wait; one that is over is not woken
    response_cache::answer kept;            ///< can be asked about, or be given after a failure
    response_cache::answer given;           ///< is given
    std::shared_ptr<cached_answer> filling; ///< what the service is saying
    std::string body;                       ///< of that
    http::request_head asked;               ///< of the service, instead of the client's
    std::chrono::steady_clock::time_point began;
    std::string age_text;
    std::string status_text;

    void begin() {
        ++ticket;
        key.clear();
        leads = refreshes = joined = changes = false;
        kept.reset();
        given.reset();
        filling.reset();
        body.clear();
    }
};

} // namespace relais::gateway
