#include "gateway/identity/introspector.hpp"

#include "http/json_reader.hpp"
#include "http/json_writer.hpp"
#include "ids/encoding.hpp"

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::chrono::seconds valid_for{30};
constexpr std::chrono::seconds invalid_for{5}; ///< a wrong token is cheap to repeat
constexpr std::size_t entries_max = 100'000;
constexpr std::chrono::milliseconds ask_timeout{2'000};
/// Longer than any answer that was asked for before a revocation can still be under way.
constexpr std::chrono::seconds remember_revocation{60};

using identity_or_none = std::optional<http::identity>;

result<identity_or_none> read_answer(const http::response& answer) {
    const auto bad = [] {
        return fail(error_kind::unavailable, "introspection-failed",
                    "web-api gave no usable answer");
    };
    if (answer.status != 200) {
        return bad();
    }
    const http::json_reader body(answer.body);
    body.allow_unknown();
    if (!body.boolean("active")) {
        if (!body.finish().empty()) {
            return bad();
        }
        return identity_or_none();
    }
    http::identity who;
    const auto account = account_id::parse(body.text("account_id", {36, 36}));
    who.credential_id = body.text("session_id", {1, 64});
    who.roles = body.texts("roles", 32, {1, 64});
    if (!body.finish().empty() || !account) {
        return bad();
    }
    who.account = *account;
    return identity_or_none(who);
}

} // namespace

struct introspector::flight {
    explicit flight(asio::io_context& loop) : landed(loop) {}

    async::signal landed;
    std::optional<result<identity_or_none>> answer;
};

introspector::introspector(std::vector<http::client*> web_api, const clock& time,
                           asio::io_context& loop, metrics::registry& metrics)
    : web_api_(std::move(web_api)), time_(time), loop_(loop) {
    const auto counter = [&metrics](const char* outcome) {
        return metrics.counter("gateway_identity_requests_total", "Tokens looked up by outcome",
                               {{"result", outcome}});
    };
    hits_ = counter("cached");
    misses_ = counter("asked");
    revocations_ = metrics.counter("gateway_identity_revocations_total", "Credentials revoked");
}

asio::awaitable<result<identity_or_none>> introspector::resolve(std::string token,
                                                                trace::context where) {
    const std::string key = to_hex(sha256(as_bytes(token)));
    const auto now = time_.steady_now();
    if (const auto found = known_.find(key); found != known_.end()) {
        if (now < found->second.valid_until) {
            hits_.increment();
            co_return found->second.who;
        }
        known_.erase(found);
    }
    if (const auto under_way = flights_.find(key); under_way != flights_.end()) {
        const auto shared = under_way->second;
        while (!shared->answer) {
            co_await shared->landed.wait();
        }
        co_return *shared->answer;
    }
    misses_.increment();
    const auto own = std::make_shared<flight>(loop_);
    flights_.emplace(key, own);
    auto answer = co_await ask(std::move(token), where);
    if (answer && *answer) {
        const auto revoked = revoked_.find((*answer)->credential_id);
        if (revoked != revoked_.end() && revoked->second >= now) {
            answer = identity_or_none(); // revoked while we asked
        }
    }
    if (answer) {
        keep(key, *answer);
    }
    own->answer = answer;
    flights_.erase(key);
    own->landed.notify_all();
    co_return answer;
}

asio::awaitable<result<identity_or_none>> introspector::ask(std::string token,
                                                            trace::context where) {
    http::json_writer json;
    json.begin_object().member("token", token).end_object();
    const std::string body = json.take();
    result<identity_or_none> last =
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

void introspector::keep(const std::string& key, identity_or_none who) {
    while (order_.size() >= entries_max) {
        known_.erase(order_.front());
        order_.pop_front();
    }
    const auto lifetime = who ? valid_for : invalid_for;
    const bool added =
        known_.insert_or_assign(key, entry{std::move(who), time_.steady_now() + lifetime}).second;
    if (added) {
        order_.push_back(key);
    }
}

void introspector::revoke(const std::string& credential_id) {
    revocations_.increment();
    const auto now = time_.steady_now();
    std::erase_if(revoked_,
                  [now](const auto& each) { return each.second + remember_revocation < now; });
    revoked_[credential_id] = now;
    for (auto& [key, cached] : known_) {
        if (cached.who && cached.who->credential_id == credential_id) {
            cached = {std::nullopt, now + invalid_for};
        }
    }
}

} // namespace relais::gateway
