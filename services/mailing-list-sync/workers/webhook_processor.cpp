#include "mailing-list-sync/workers/webhook_processor.hpp"

#include "mailing-list-sync/provider/webhook_body.hpp"
#include "mailing-list-sync/store/campaigns.hpp"
#include "mailing-list-sync/store/contacts.hpp"
#include "mailing-list-sync/store/sync_state.hpp"
#include "outbox/outbox.hpp"

#include <relais/marketing/v1/contact_events.pb.h>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

constexpr int batch_max = 100;
constexpr std::chrono::seconds look_again{5};

void set_time(google::protobuf::Timestamp* out, timestamp time) {
    const auto micros = time.time_since_epoch().count();
    out->set_seconds(micros / 1'000'000);
    out->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
}

/// What the provider told is the beginning of a chain: its trace is the webhook request's.
events::cause cause_of(const webhook_event& raw) {
    const auto parsed = trace::context::parse(raw.traceparent);
    return events::cause::from_request(parsed ? *parsed : trace::context::start(), raw.digest);
}

std::string record_opt_out(pg::transaction& tx, const webhook_event& raw,
                           const provider_event& event, timestamp now, std::string_view service) {
    const auto account = account_of_email(tx, event.email);
    if (!account) {
        return "unknown-person";
    }
    const auto kind = event.what == provider_event::kind::complaint
                          ? consent_kind::complaint
                          : consent_kind::provider_opt_out;
    const std::string evidence = "webhook:" + raw.digest;
    if (!append_consent(
            tx,
            {*account, std::string(newsletter), evidence, {kind, event.occurred_at}, evidence})) {
        return "repeated";
    }
    // The provider took the person off by itself; what we hold of it must say so before the next
    // plan.
    shadow known = find_shadow(tx, *account);
    const bool was_member = known.lists.contains(std::string(newsletter));
    known.lists.clear();
    save_shadow(tx, *account, known, now);

    const auto why = cause_of(raw);
    marketing::v1::MarketingOptedOut opted_out;
    opted_out.set_account_id(*account);
    opted_out.set_purpose(std::string(newsletter));
    opted_out.set_provider("brevo");
    set_time(opted_out.mutable_occurred_at(), event.occurred_at);
    opted_out.set_evidence(evidence);
    outbox::append(tx, events::make_event(opted_out, service, why, now));
    if (was_member) {
        marketing::v1::ListMembershipChanged changed;
        changed.set_account_id(*account);
        changed.set_list(std::string(newsletter));
        changed.set_member(false);
        outbox::append(tx, events::make_event(changed, service, why, now));
    }
    return "opted-out";
}

} // namespace

webhook_processor::webhook_processor(tools given, asio::io_context& loop)
    : tools_(std::move(given)), woken_(loop),
      processed_(tools_.metrics.counter("webhooks_processed_total", "Provider events made sense of",
                                        {{"provider", "brevo"}, {"result", "done"}})),
      undecodable_(tools_.metrics.counter("webhooks_processed_total",
                                          "Provider events made sense of",
                                          {{"provider", "brevo"}, {"result", "undecodable"}})) {}

void webhook_processor::wake() {
    woken_.notify_all();
}

std::string webhook_processor::process_one(pg::transaction& tx, const webhook_event& raw,
                                           timestamp now) const {
    const auto event = read_webhook(raw.body, now);
    if (!event) {
        undecodable_.increment();
        return "undecodable";
    }
    processed_.increment();
    if (event->campaign > 0) {
        hint_for_remote(tx, event->campaign, now);
        tx.after_commit(tools_.wake_campaign_sync);
    }
    switch (event->what) {
    case provider_event::kind::unsubscribed:
    case provider_event::kind::complaint:
        return record_opt_out(tx, raw, *event, now, tools_.service);
    case provider_event::kind::campaign_progress:
        return "campaign";
    case provider_event::kind::unknown:
        break;
    }
    return "ignored:" + event->name;
}

result<int> webhook_processor::process_batch(pg::transaction& tx) const {
    const auto now = tools_.time.now();
    const auto open = open_webhooks(tx, batch_max);
    for (const auto& raw : open) {
        const auto outcome = process_one(tx, raw, now);
        finish_webhook(tx, raw.digest, outcome, now);
        const auto trace = trace::context::parse(raw.traceparent);
        (trace ? tools_.logger.with(*trace) : tools_.logger)
            .info("webhook.processed", {{"provider", raw.provider}, {"outcome", outcome}});
    }
    return static_cast<int>(open.size());
}

asio::awaitable<void> webhook_processor::run() {
    while (true) {
        auto work = [this](pg::transaction& tx) -> result<int> {
            return process_batch(tx);
        };
        const auto count = co_await tools_.database.transact("process_webhooks", std::move(work));
        if (!count || *count < batch_max) {
            co_await woken_.wait_for(look_again);
        }
    }
}

} // namespace relais::mailing_list_sync
