#include "mailing-list-sync/workers/provider_setup.hpp"

#include "async/backoff.hpp"
#include "async/signal.hpp"

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

constexpr std::chrono::hours look_again{1};
constexpr async::backoff retry_pause{std::chrono::milliseconds(500), std::chrono::minutes(2)};

} // namespace

provider_setup::provider_setup(brevo& provider, list_directory& lists, std::string webhook_url,
                               config::secret webhook_token, metrics::registry& metrics,
                               log::logger logger)
    : provider_(provider), lists_(lists), webhook_url_(std::move(webhook_url)),
      webhook_token_(std::move(webhook_token)),
      last_success_(metrics.gauge("provider_setup_last_success_timestamp_seconds",
                                  "When lists and webhook were last seen as they shall be",
                                  {{"provider", "brevo"}})),
      logger_(std::move(logger)) {}

asio::awaitable<result<void>> provider_setup::look() {
    const auto where = trace::context::start();
    std::set<std::string> names;
    for (const auto& locale : campaign_locales()) {
        names.merge(provider_lists(newsletter, locale));
    }
    const auto ids = co_await lists_.ids_of(names, where);
    if (!ids) {
        co_return fail(ids);
    }
    co_return co_await provider_.ensure_webhook(webhook_url_, webhook_token_, where);
}

asio::awaitable<void> provider_setup::run() {
    unsigned attempt = 0;
    while (true) {
        const auto done = co_await look();
        if (done) {
            attempt = 0;
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            last_success_.set(std::chrono::duration<double>(now).count());
            logger_.info("provider.set_up", {{"webhook_url", webhook_url_}});
            co_await async::sleep_for(look_again);
        } else {
            logger_.warn("provider.set_up_failed", {{"error", done.error().slug}});
            co_await async::sleep_for(
                done.error().retry_after.value_or(retry_pause.wait(++attempt)));
        }
    }
}

} // namespace relais::mailing_list_sync
