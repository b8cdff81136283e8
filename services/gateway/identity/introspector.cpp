#include "gateway/identity/introspector.hpp"

#include "clock/rfc3339.hpp"
#include "http/json_reader.hpp"
#include "http/json_writer.hpp"
#include "ids/encoding.hpp"

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::chrono::seconds valid_for{30};
constexpr std::chrono::seconds invalid_for{5}; ///< a wrong token is cheap to repeat
/// Longer than the answer it was made from is kept, so a header in use is never about to expire.
constexpr std::chrono::seconds header_valid_for{60};
constexpr std::chrono::seconds jitter{1}; ///< by which NTP slews a clock back
constexpr std::size_t entries_max = 100'000;
constexpr std::chrono::milliseconds ask_timeout{2'000};
constexpr std::size_t token_bytes_max = 1'024; ///< web-api reads no more
/// Longer than any answer that was asked for before a revocation can still be under way.
constexpr std::chrono::seconds remember_revocation{60};

} // namespace

struct introspector::flight {
    explicit flight(asio::io_context& loop) : landed(loop) {}

    async::signal landed;
    bool ended = false;
    std::optional<result<introspection>> answer; ///< nothing: whoever asked was cut off
};

introspector::introspector(std::vector<http::client*> web_api, const http::identity_signer& signer,
                           const clock& time, asio::io_context& loop, metrics::registry& metrics)
    : web_api_(std::move(web_api)), signer_(signer), time_(time), loop_(loop) {
    const auto counter = [&metrics](const char* outcome) {
        return metrics.counter("gateway_identity_requests_total", "Tokens looked up by outcome",
                               {{"result", outcome}});
    };
    hits_ = counter("cached");
    misses_ = counter("asked");
    revocations_ = metrics.counter("gateway_identity_revocations_total", "Credentials revoked");
}

/// What an answer says and how long it may be believed.
result<introspection> introspector::read_answer(const http::response& answer) const {
    const auto bad = [] {
        return fail(error_kind::unavailable, "introspection-failed",
                    "web-api gave no usable answer");
    };
    if (answer.status != 200) {
        return bad();
    }
    const auto now = time_.now();
    const http::json_reader body(answer.body);
    body.allow_unknown();
    if (!body.boolean("active")) {
        if (!body.finish().empty()) {
            return bad();
        }
        return introspection{std::nullopt, time_.steady_now() + invalid_for, {}};
    }
    http::identity who;
    const auto account = account_id::parse(body.text("account_id", {36, 36}));
    who.credential_id = body.text("session_id", {1, 64});
    who.roles = body.texts("roles", 32, {1, 64});
    const auto expires = body.optional_text("expires_at", {1, 40});
    if (!body.finish().empty() || !account) {
        return bad();
    }
    who.account = *account;
    who.authenticated_at = std::chrono::floor<std::chrono::seconds>(now);
    std::chrono::microseconds lifetime = valid_for;
    if (expires) {
        const auto end = parse_rfc3339(*expires);
        if (!end) {
            return bad();
        }
        lifetime = std::min(lifetime, *end - now);
    }
    auto header = signer_.sign(who, now, header_valid_for);
    return introspection{known_caller{std::move(who), std::move(header)},
                         time_.steady_now() + lifetime, now};
}

bool introspection::holds(std::chrono::steady_clock::time_point steady_now, timestamp now) const {
    if (steady_now >= valid_until) {
        return false;
    }
    const auto age = now - signed_at;
    return !caller || (age >= -jitter && age < header_valid_for);
}

asio::awaitable<result<introspection>> introspector::resolve(std::string token,
                                                             trace::context where) {
    if (token.size() > token_bytes_max) {
        co_return introspection{std::nullopt, time_.steady_now() + invalid_for, {}};
    }
    std::string key = to_hex(sha256(as_bytes(token)));
    while (true) {
        if (const auto found = known_.find(key); found != known_.end()) {
            if (found->second.holds(time_.steady_now(), time_.now())) {
                hits_.increment();
                co_return found->second;
            }
        }
        const auto under_way = flights_.find(key);
        if (under_way == flights_.end()) {
            break;
        }
        const auto shared = under_way->second;
        while (!shared->ended) {
            co_await shared->landed.wait();
        }
        if (shared->answer) {
            co_return *shared->answer;
        }
    }
    co_return co_await ask_and_keep(std::move(key), std::move(token), where);
}

asio::awaitable<result<introspection>>
introspector::ask_and_keep(std::string key, std::string token, trace::context where) {
    misses_.increment();
    const auto began = time_.steady_now();
    const auto own = std::make_shared<flight>(loop_); // shared with those who wait for it
    flights_.emplace(key, own);
    // Also when this coroutine is cancelled: the others must not wait for ever.
    const std::unique_ptr<flight, std::function<void(flight*)>> landing(
        own.get(), [this, &key](flight* ended) {
            ended->ended = true;
            ended->landed.notify_all();
            flights_.erase(key);
        });
    auto answer = co_await ask(std::move(token), where);
    if (answer && answer->caller) {
        const auto revoked = revoked_.find(answer->caller->who.credential_id);
        if (revoked != revoked_.end() && revoked->second >= began) {
            answer =
                introspection{std::nullopt, time_.steady_now() + invalid_for, {}}; // while we asked
        }
    }
    if (answer) {
        keep(key, *answer);
    }
    own->answer = answer;
    co_return answer;
}

asio::awaitable<result<introspection>> introspector::ask(std::string token, trace::context where) {
    http::json_writer json;
    json.begin_object().member("token", token).end_object();
    const std::string body = json.take();
    result<introspection> last =
        fail(error_kind::unavailable, "introspection-failed", "no instance of web-api");
    for (std::size_t tried = 0; tried < web_api_.size(); ++tried) {
        http::client::call what;
        what.method = "POST";
        what.target = "/internal/v1/introspections";
        what.headers.add("Content-Type", "application/json");
        what.headers.add("traceparent", where.child().traceparent());
        what.body = body;
        what.timeout = ask_timeout;
        auto* client = web_api_[next_++ % web_api_.size()];
        const auto answer = co_await client->send(std::move(what));
        if (answer) {
            last = read_answer(*answer);
        } else {
            last = fail(error_kind::unavailable, "introspection-failed", answer.error().slug);
        }
        if (last) {
            break;
        }
    }
    co_return last;
}

void introspector::keep(const std::string& key, const introspection& found) {
    if (!known_.insert_or_assign(key, found).second) {
        return;
    }
    order_.push_back(key);
    if (order_.size() > entries_max) {
        known_.erase(order_.front());
        order_.pop_front();
    }
}

void introspector::revoke(const std::string& credential_id) {
    revocations_.increment();
    const auto now = time_.steady_now();
    std::erase_if(revoked_,
                  [now](const auto& each) { return each.second + remember_revocation < now; });
    revoked_[credential_id] = now;
    for (auto& [key, cached] : known_) {
        if (cached.caller && cached.caller->who.credential_id == credential_id) {
            cached = {std::nullopt, now + invalid_for, {}};
        }
    }
}

} // namespace relais::gateway
