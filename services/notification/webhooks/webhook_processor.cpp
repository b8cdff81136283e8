#include "notification/webhooks/webhook_processor.hpp"

#include "notification/store/contacts.hpp"
#include "notification/store/deliveries.hpp"
#include "notification/store/webhooks.hpp"
#include "notification/webhooks/provider_webhooks.hpp"

namespace asio = boost::asio;

namespace relais::notification {
namespace {

constexpr int batch = 20;
constexpr std::chrono::seconds looks_at_least_every{5}; // for what another instance left behind
constexpr std::chrono::milliseconds outage_pause{500};
constexpr std::chrono::hours sweep_every{1};

void apply(pg::transaction& tx, const provider_event& event, const std::string& service,
           timestamp now) {
    if (!keep_provider_event(tx, event, now)) {
        return;
    }
    if (event.delivery) {
        note_feedback(tx, *event.delivery, to_string(event.what), event.occurred_at,
                      event.provider_message_id, service, now);
    }
    apply_to_address(tx, event);
    if (!event.dead_subscriptions.empty()) {
        mark_devices_dead(tx, event.dead_subscriptions, now);
    }
}

} // namespace

webhook_processor::webhook_processor(pg::pool& database, std::string service,
                                     config::secret address_key, const clock& time,
                                     asio::io_context& loop, metrics::registry& metrics,
                                     log::logger logger)
    : database_(database), service_(std::move(service)), address_key_(std::move(address_key)),
      time_(time), logger_(std::move(logger)), changed_(loop) {
    const auto counter = [&](const char* outcome) {
        return metrics.counter("notification_webhook_total", "Webhooks of providers, processed",
                               {{"outcome", outcome}});
    };
    done_ = counter("done");
    malformed_ = counter("malformed");
}

void webhook_processor::wake() {
    awake_ = true;
    changed_.notify_all();
}

asio::awaitable<void> webhook_processor::run() {
    while (true) {
        awake_ = false;
        const auto done = co_await process_some();
        if (!done) {
            logger_.warn("webhook.process_failed", {{"reason", done.error().slug}});
            co_await async::sleep_for(outage_pause);
            continue;
        }
        co_await sweep_when_due();
        if (*done < batch && !awake_) {
            co_await changed_.wait_for(looks_at_least_every);
        }
    }
}

asio::awaitable<result<int>> webhook_processor::process_some() {
    struct counts {
        int done = 0;
        int malformed = 0;
    };

    auto work = [key = address_key_, service = service_,
                 now = time_.now()](pg::transaction& tx) -> result<counts> {
        counts out;
        for (const auto& kept : open_webhooks(tx, batch)) {
            const auto events = kept.provider == "mailjet"
                                    ? read_mailjet_events(kept.body, key.reveal())
                                    : read_onesignal_events(kept.body);
            for (const auto& event : events.value_or(std::vector<provider_event>())) {
                apply(tx, event, service, now);
            }
            finish_webhook(tx, kept.digest, events ? "done" : events.error().slug, now);
            ++(events ? out.done : out.malformed);
        }
        return out;
    };
    const auto found = co_await database_.transact("process_webhooks", std::move(work));
    if (!found) {
        co_return fail(found);
    }
    done_.increment(found->done);
    malformed_.increment(found->malformed);
    co_return found->done + found->malformed;
}

asio::awaitable<void> webhook_processor::sweep_when_due() {
    if (time_.steady_now() < next_sweep_) {
        co_return;
    }
    next_sweep_ = time_.steady_now() + sweep_every;
    auto work = [now = time_.now()](pg::transaction& tx) -> result<void> {
        sweep(tx, now);
        return {};
    };
    const auto swept = co_await database_.transact("sweep", std::move(work));
    if (!swept) {
        logger_.warn("ledger.sweep_failed", {{"reason", swept.error().slug}});
    }
}

} // namespace relais::notification
