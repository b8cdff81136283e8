#include "mailing-list-sync/handlers/brevo_webhook.hpp"

#include "ids/encoding.hpp"
#include "mailing-list-sync/provider/webhook_body.hpp"
#include "mailing-list-sync/store/webhooks.hpp"

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

bool is_authorised(const http::request& request, const config::secret& token) {
    constexpr std::string_view scheme = "Bearer ";
    const auto given = request.header("authorization");
    return given.starts_with(scheme) &&
           equal_in_constant_time(as_bytes(given.substr(scheme.size())), as_bytes(token.reveal()));
}

} // namespace

http::handler receive_brevo_webhook(pg::pool& database, config::secret token,
                                    std::function<void()> wake_processor) {
    return [&database, token = std::move(token), wake_processor = std::move(wake_processor)](
               const http::request& request) -> asio::awaitable<result<http::response>> {
        if (!is_authorised(request, token)) {
            co_return fail(error_kind::unauthenticated, "invalid-webhook-token");
        }
        auto entries = split_webhook(request.body);
        if (!entries) {
            co_return fail(entries);
        }
        auto keep = [entries = std::move(*entries), wake_processor,
                     traceparent =
                         request.trace.traceparent()](pg::transaction& tx) -> result<void> {
            for (const auto& body : entries) {
                keep_webhook(tx, {to_hex(sha256(as_bytes(body))), "brevo", body, traceparent});
            }
            tx.after_commit(wake_processor);
            return {};
        };
        const auto kept = co_await database.transact("keep_webhook", std::move(keep));
        if (!kept) {
            co_return fail(error_kind::rate_limited, "webhook-not-kept", kept.error().slug);
        }
        co_return http::response::empty(200);
    };
}

} // namespace relais::mailing_list_sync
