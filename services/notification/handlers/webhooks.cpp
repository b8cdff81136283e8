#include "notification/handlers/webhooks.hpp"

#include "ids/encoding.hpp"
#include "notification/channels/base64.hpp"
#include "notification/store/webhooks.hpp"

namespace asio = boost::asio;

namespace relais::notification {

bool carries_token(std::string_view authorization, const config::secret& token) {
    if (token.empty()) {
        return false;
    }
    std::string given;
    if (authorization.starts_with("Bearer ")) {
        given = authorization.substr(7);
    } else if (authorization.starts_with("Basic ")) {
        const auto credentials = from_base64(authorization.substr(6));
        const auto colon = credentials.find(':');
        given = colon == std::string::npos ? std::string() : credentials.substr(colon + 1);
    }
    return equal_in_constant_time(as_bytes(given), as_bytes(token.reveal()));
}

http::handler receive_webhook(pg::pool& database, std::string provider, config::secret token,
                              const clock& time, std::function<void()> wake_processor) {
    return [&database, &time, provider = std::move(provider), token = std::move(token),
            wake_processor = std::move(wake_processor)](
               const http::request& request) -> asio::awaitable<result<http::response>> {
        if (!carries_token(request.header("authorization"), token)) {
            co_return fail(error_kind::unauthenticated, "invalid-webhook-token");
        }
        webhook kept;
        kept.provider = provider;
        kept.digest = to_hex(sha256(as_bytes(provider + "\n" + request.body)));
        kept.body = request.body;
        kept.traceparent = request.trace.traceparent();
        auto keep = [kept = std::move(kept), wake_processor,
                     now = time.now()](pg::transaction& tx) -> result<void> {
            keep_webhook(tx, kept, now);
            tx.after_commit(wake_processor);
            return {};
        };
        const auto done = co_await database.transact("keep_webhook", std::move(keep));
        if (!done) {
            co_return fail(error_kind::rate_limited, "webhook-not-kept", done.error().slug);
        }
        co_return http::response::empty(200);
    };
}

} // namespace relais::notification
