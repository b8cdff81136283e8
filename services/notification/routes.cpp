#include "notification/routes.hpp"

#include "notification/handlers/webhooks.hpp"

namespace relais::notification {
namespace {

// Mailjet groups a second of traffic into one call.
constexpr std::size_t webhook_max_bytes = std::size_t{2} * 1024 * 1024;

} // namespace

std::vector<http::route> routes(pg::pool& database, const webhook_tokens& tokens, const clock& time,
                                const std::function<void()>& wake_processor) {
    std::vector<http::route> table;
    const auto add = [&](const std::string& provider, const config::secret& token) {
        http::route route;
        route.method = "POST";
        route.path = "/webhooks/" + provider;
        route.handle = receive_webhook(database, provider, token, time, wake_processor);
        route.body_max = webhook_max_bytes;
        table.push_back(std::move(route));
    };
    add("mailjet", tokens.mailjet);
    add("onesignal", tokens.onesignal);
    return table;
}

} // namespace relais::notification
