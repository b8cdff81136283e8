#pragma once

#include "gateway/client/client_side.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace relais::gateway {

/// How a route's answers are kept.
struct cache_policy {
    std::chrono::seconds default_ttl{0}; ///< of answers that say nothing; 0: they are not kept
    std::chrono::seconds stale_while_revalidate{0}; ///< where the answer says nothing, as the next
    std::chrono::seconds stale_if_error{0};
    std::uint64_t entry_bytes_max = std::uint64_t{1} << 20;
};

/// An answer that may be given again. Immutable; shared by the cache and the answers under way.
struct cached_answer {
    using steady = std::chrono::steady_clock;
    using text_pair = std::pair<std::string, std::string>;

    int status = 0;
    std::string reason;
    std::vector<text_pair> fields;
    std::shared_ptr<const std::string> body; ///< shared with the answers that validated this one
    std::string etag;
    std::string last_modified;
    std::vector<text_pair> vary; ///< names, and what the request said
    std::vector<std::string> tags;
    steady::time_point stored;
    std::chrono::seconds age_then{0}; ///< it was that old already
    std::chrono::seconds lifetime{0}; ///< from its beginning
    std::chrono::seconds stale_while_revalidate{0};
    std::chrono::seconds stale_if_error{0};

    std::chrono::seconds age(steady::time_point now) const {
        return age_then + std::chrono::duration_cast<std::chrono::seconds>(now - stored);
    }

    bool is_fresh(steady::time_point now) const {
        return age(now) < lifetime;
    }

    bool serves_stale(std::chrono::seconds longer, steady::time_point now) const {
        return age(now) < lifetime + longer;
    }

    /// Whether it answers this request, too (RFC 9111 §4.1).
    bool matches(const http::request_head& asked) const;

    std::size_t bytes() const;
};

/// Whether a request may be answered from the cache or fill it: GET or HEAD without a body, a
/// Range, or credentials. Requests with Authorization keep away from it altogether: what the
/// service says to one caller is not for others, whatever it says about caching.
bool may_use_cache(const http::request_head& asked);

/// The same for an answer (RFC 9111 §3): what is to be kept of it, but for the body; null: it is
/// not to be kept. No guessing: without explicit freshness only default_ttl counts. With Set-Cookie
/// or Vary: * never.
std::shared_ptr<cached_answer> keep_answer(const http::request_head& asked,
                                           const answer_head& answer, const cache_policy& policy,
                                           cached_answer::steady::time_point now);

/// What a 304 makes of what was kept (RFC 9111 §3.2).
std::shared_ptr<cached_answer> freshen(const cached_answer& kept, const http::request_head& asked,
                                       const answer_head& answer, const cache_policy& policy,
                                       cached_answer::steady::time_point now);

/// Fields that are between the service and the cache: clients do not see them.
void strip_cache_fields(answer_head& answer);

/// What is kept under one name: a method, a scheme, a host and a target.
std::string cache_key(const http::request_head& asked, bool https);

} // namespace relais::gateway
