#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/exchange/request_facts.hpp"
#include "gateway/files/file_conditions.hpp"
#include "gateway/identity/cookie_session.hpp"
#include "http/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

// How a request gets its answer from the cache, and the cache its from the service.
namespace relais::gateway {
namespace {

/// For somebody else's answer; then a request goes its own way.
constexpr std::chrono::milliseconds join_time_max{5'000};

bool is_conditional(std::string_view name) {
    constexpr std::array<std::string_view, 5> names{"if-none-match", "if-modified-since",
                                                    "if-match", "if-unmodified-since", "if-range"};
    return std::ranges::any_of(
        names, [name](std::string_view each) { return http::equal_names(each, name); });
}

/// Whether the client has what is kept already.
bool has_same(const cached_answer& kept, const http::request_head& asked) {
    const auto conditions = file_conditions::of(asked);
    if (kept.status != 200) {
        return false;
    }
    if (!conditions.if_none_match.empty()) {
        return !kept.etag.empty() && matches_etag(conditions.if_none_match, kept.etag, true);
    }
    const auto since = parse_http_date(conditions.if_modified_since);
    const auto modified = parse_http_date(kept.last_modified);
    return since && modified && *modified <= *since;
}

} // namespace

/// Whether the answer is, or will be, there without the service.
bool exchange::use_cache() {
    if (!is_safe(head_->method)) {
        cache_.changes = true;
        cache_.key = cache_key(*head_, https_);
    }
    if (cache_.refreshes) {
        return false;
    }
    const bool known = route_->cookie_sessions && session_cookie(head_->fields);
    if (known || !may_use_cache(*head_)) {
        record_.cache = cache_status::bypass;
        return false;
    }
    cache_.key = cache_key(*head_, https_);
    return look_in_cache();
}

bool exchange::look_in_cache() {
    using state = response_cache::state;
    auto& cache = edge_.cache();
    cache_.began = turn_time();
    const auto wake = [this, ticket = cache_.ticket] {
        edge_.post([this, ticket] { on_cache_turn(ticket); });
    };
    const auto found = head_->method == "GET"
                           ? cache.find(cache_.key, *head_, cache_.began, &edge_, wake)
                           : cache.look(cache_.key, *head_, cache_.began);
    switch (found.is) {
    case state::hit:
        serve_kept(found.kept, cache_.joined ? cache_status::joined : cache_status::hit);
        return true;
    case state::stale:
        if (found.refreshes && !edge_.refresh(*head_, client_->info(), cache_.key, found.kept)) {
            cache.end(cache_.key, false, cache_.began);
        }
        serve_kept(found.kept, cache_status::stale);
        return true;
    case state::wait:
        phase_ = phase::joining;
        cache_.joined = true;
        timer_.set(std::min(until_, cache_.began + join_time_max));
        return true;
    case state::lead:
        cache_.leads = true;
        cache_.kept = found.kept;
        break;
    case state::pass:
        break;
    }
    record_.cache = cache_status::miss;
    return false;
}

void exchange::begin_refresh(std::string key, response_cache::answer kept) {
    cache_.refreshes = cache_.leads = true;
    cache_.key = std::move(key);
    cache_.kept = std::move(kept);
    cache_.began = turn_time();
}

void exchange::on_cache_turn(std::uint64_t ticket) {
    if (phase_ != phase::joining || ticket != cache_.ticket) {
        return; // it did not wait so long
    }
    phase_ = phase::idle;
    timer_.clear();
    ++cache_.ticket;
    if (!look_in_cache()) {
        prepare(nullptr);
    }
}

/// What the service is asked: for a leader its whole answer, or whether what is kept still holds.
const http::request_head& exchange::asked_of_service() {
    if (!cache_.leads) {
        return *head_;
    }
    cache_.asked = *head_;
    std::erase_if(cache_.asked.fields,
                  [](const auto& field) { return is_conditional(field.name); });
    if (cache_.kept != nullptr && !cache_.kept->etag.empty()) {
        cache_.asked.fields.push_back({"If-None-Match", cache_.kept->etag});
    }
    if (cache_.kept != nullptr && !cache_.kept->last_modified.empty()) {
        cache_.asked.fields.push_back({"If-Modified-Since", cache_.kept->last_modified});
    }
    return cache_.asked;
}

void exchange::end_leading(bool uncacheable) {
    if (cache_.leads) {
        cache_.leads = false;
        edge_.cache().end(cache_.key, uncacheable, turn_time());
    }
}

/// The head of the service's answer is there, in answer_. True: the client was given something
/// else.
bool exchange::note_answer_for_cache() {
    auto& cache = edge_.cache();
    const auto now = turn_time();
    if (cache_.changes && answer_.status < 400) {
        cache.remove(cache_.key, now);
    }
    if (!cache_.leads) {
        strip_cache_fields(answer_);
        return false;
    }
    if (cache_.kept != nullptr && answer_.status == 304) {
        const response_cache::answer fresh =
            freshen(*cache_.kept, *head_, answer_, *route_->cache, now);
        cache.put(cache_.key, fresh, cache_.began);
        end_leading(false);
        release_upstream();
        serve_kept(fresh, cache_status::revalidated);
        return true;
    }
    if (answer_.status >= 500 && may_serve_stale()) {
        drop_upstream();
        serve_stale();
        return true;
    }
    cache_.filling = keep_answer(*head_, answer_, *route_->cache, now);
    strip_cache_fields(answer_);
    if (cache_.filling == nullptr) {
        end_leading(true);
    }
    cache_.status_text =
        fmt::format("relais; fwd={}{}", cache_.kept != nullptr ? "stale" : "uri-miss",
                    cache_.filling != nullptr ? "; stored" : "");
    answer_.fields.push_back({"Cache-Status", cache_.status_text});
    if (!answer_.has_body) {
        fill_cache({}, true);
    }
    return false;
}

void exchange::fill_cache(std::string_view piece, bool last) {
    if (cache_.filling == nullptr) {
        return;
    }
    if (cache_.body.size() + piece.size() > route_->cache->entry_bytes_max) {
        cache_.filling.reset();
        cache_.body = {};
        end_leading(true);
        return;
    }
    cache_.body.append(piece);
    if (last) {
        cache_.filling->body = std::make_shared<const std::string>(std::move(cache_.body));
        cache_.body = {};
        edge_.cache().put(cache_.key, std::move(cache_.filling), cache_.began);
        cache_.filling.reset();
        end_leading(false);
    }
}

bool exchange::may_serve_stale() const {
    return cache_.leads && !cache_.refreshes && cache_.kept != nullptr &&
           cache_.kept->serves_stale(cache_.kept->stale_if_error, turn_time());
}

/// Instead of a failure (RFC 5861 §4).
void exchange::serve_stale() {
    end_leading(false);
    serve_kept(cache_.kept, cache_status::stale);
}

void exchange::serve_kept(response_cache::answer kept, cache_status how) {
    const auto now = turn_time();
    record_.cache = how;
    cache_.given = std::move(kept);
    const auto& what = *cache_.given;
    const bool same = has_same(what, *head_);
    const auto age = what.age(now);
    cache_.age_text = fmt::format("{}", age.count());
    cache_.status_text =
        fmt::format("relais; hit; ttl={}{}", (what.lifetime - age).count(),
                    how == cache_status::revalidated ? "; fwd=stale; fwd-status=304"
                    : how == cache_status::joined    ? "; collapsed"
                                                     : "");
    answer_.status = same ? 304 : what.status;
    answer_.reason = reason_phrase(answer_.status);
    answer_.fields.clear();
    for (const auto& [name, value] : what.fields) {
        answer_.fields.push_back({name, value});
    }
    answer_.fields.push_back({"Age", cache_.age_text});
    answer_.fields.push_back({"Cache-Status", cache_.status_text});
    answer_.fields.push_back({"X-Request-Id", record_.request_id.view()});
    answer_.content_length.reset();
    const bool empty = what.body == nullptr || what.body->empty();
    if (!same && answer_.status != 204) {
        answer_.content_length = empty ? 0 : what.body->size();
    }
    answer_.has_body = !same && !empty && head_->method == "GET";
    if (answer_.has_body) {
        file_.body().begin(*what.body, what.body);
    }
    send_own_answer();
}

} // namespace relais::gateway
