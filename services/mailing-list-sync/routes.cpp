#include "mailing-list-sync/routes.hpp"

#include "mailing-list-sync/handlers/brevo_webhook.hpp"

namespace relais::mailing_list_sync {
namespace {

// A batched webhook carries up to 500 events.
constexpr std::size_t webhook_max_bytes = std::size_t{2} * 1024 * 1024;

} // namespace

std::vector<http::route> routes(pg::pool& database, config::secret webhook_token,
                                std::function<void()> wake_webhooks) {
    http::route brevo;
    brevo.method = "POST";
    brevo.path = "/webhooks/brevo";
    brevo.handle =
        receive_brevo_webhook(database, std::move(webhook_token), std::move(wake_webhooks));
    brevo.body_max = webhook_max_bytes;
    return {std::move(brevo)};
}

} // namespace relais::mailing_list_sync
