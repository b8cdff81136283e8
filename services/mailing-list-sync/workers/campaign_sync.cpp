#include "mailing-list-sync/workers/campaign_sync.hpp"

#include "async/backoff.hpp"
#include "mailing-list-sync/domain/waits.hpp"

#include <fmt/format.h>

#include <array>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

constexpr int parts_at_once = 8;
constexpr std::chrono::seconds lease{60};
constexpr std::chrono::milliseconds longest_sleep{5'000};
constexpr async::backoff retry_pause{std::chrono::milliseconds(500), std::chrono::minutes(5)};
/// How long between looks at a campaign under way: the provider allows a hundred looks an hour.
constexpr std::array<std::chrono::seconds, 5> follow_pauses{
    std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(5),
    std::chrono::seconds(15), std::chrono::seconds(60)};

std::string tag_of(const campaign_part& part) {
    return part.campaign_id + "-" + part.locale;
}

} // namespace

campaign_sync::campaign_sync(tools given, asio::io_context& loop)
    : tools_(std::move(given)), woken_(loop),
      sent_(tools_.metrics.counter("campaign_parts_total", "Campaigns by language and outcome",
                                   {{"result", "sent"}})),
      failed_(tools_.metrics.counter("campaign_parts_total", "Campaigns by language and outcome",
                                     {{"result", "failed"}})) {}

void campaign_sync::wake() {
    woken_.notify_all();
}

asio::awaitable<void> campaign_sync::run() {
    struct batch {
        std::vector<campaign_part> parts;
        std::optional<timestamp> next;
    };

    while (true) {
        const auto now = tools_.time.now();
        auto take = [now](pg::transaction& tx) -> result<batch> {
            auto parts = lease_parts(tx, parts_at_once, now, lease);
            return batch{std::move(parts), next_part_at(tx)};
        };
        auto taken = co_await tools_.database.transact("lease_parts", std::move(take));
        auto pause = longest_sleep;
        if (taken) {
            // One after another: the provider's rate for campaigns is a hundred calls an hour.
            for (auto& part : taken->parts) {
                co_await advance(std::move(part));
            }
            if (!taken->parts.empty()) {
                continue;
            }
            if (taken->next) {
                const auto until = std::chrono::ceil<std::chrono::milliseconds>(*taken->next - now);
                pause = std::clamp(until, std::chrono::milliseconds(1), longest_sleep);
            }
        }
        co_await woken_.wait_for(pause);
    }
}

asio::awaitable<void> campaign_sync::advance(campaign_part part) {
    const auto where = part.why.trace.child();
    result<void> done = result<void>();
    if (part.state == "requested" || part.state == "creating") {
        done = co_await create(part, where);
    } else if (part.state == "created") {
        done = co_await send(part, where);
    } else {
        done = co_await follow(part, where);
    }
    if (!done) {
        co_await settle_failure(std::move(part), done.error());
    }
}

/// requested → creating → created. "creating" means that a call may have happened: look first.
asio::awaitable<result<void>> campaign_sync::create(campaign_part part, trace::context where) {
    const auto now = tools_.time.now();
    if (part.state == "creating") {
        const auto found = co_await tools_.provider.find_campaign(tag_of(part), where);
        if (!found) {
            co_return fail(found);
        }
        if (*found) {
            co_return co_await move_to(part, "created", (*found)->id, now);
        }
    }
    const std::set<std::string> list{part.list + " " + part.locale};
    const auto ids = co_await tools_.lists.ids_of(list, where);
    if (!ids) {
        co_return fail(ids);
    }
    const auto intent = co_await move_to(part, "creating", 0, now + lease);
    if (!intent) {
        co_return intent;
    }
    const auto& text = tools_.templates.find(part.campaign_template, part.locale);
    campaign_content content{fmt::format("{} ({})", part.name, part.locale),
                             tag_of(part),
                             text.subject,
                             text.html,
                             tools_.sender_name,
                             tools_.sender_email,
                             *ids};
    const auto created = co_await tools_.provider.create_campaign(std::move(content), where);
    if (!created) {
        co_return fail(created);
    }
    co_return co_await move_to(part, "created", *created, now);
}

/// created → sending. Sending twice is impossible there: a campaign that left "draft" is refused.
asio::awaitable<result<void>> campaign_sync::send(campaign_part part, trace::context where) {
    const auto before = co_await tools_.provider.campaign(part.remote_id, where);
    if (!before) {
        co_return fail(before);
    }
    if (before->status == "draft" || before->status == "suspended") {
        const auto sent = co_await tools_.provider.send_campaign(part.remote_id, where);
        if (!sent) {
            co_return sent;
        }
    }
    co_return co_await move_to(part, "sending", part.remote_id,
                               tools_.time.now() + follow_pauses.front());
}

asio::awaitable<result<void>> campaign_sync::follow(campaign_part part, trace::context where) {
    const auto there = co_await tools_.provider.campaign(part.remote_id, where);
    if (!there) {
        co_return fail(there);
    }
    const auto now = tools_.time.now();
    const bool finished = there->status == "sent";
    const auto looks = std::min<std::size_t>(static_cast<std::size_t>(std::max(part.attempts, 1)),
                                             follow_pauses.size());
    auto write = [this, part, found = *there, now, finished,
                  pause = follow_pauses[looks - 1]](pg::transaction& tx) -> result<void> {
        set_part_counts(tx, part, found.sent, found.delivered, found.unsubscribed, now);
        if (finished) {
            set_part(tx, part, "sent", part.remote_id, std::nullopt);
        } else {
            retry_part(tx, part, "", now + pause);
        }
        report_progress(tx, part.campaign_id, tools_.service, now);
        return {};
    };
    auto written = co_await tools_.database.transact("follow_campaign", std::move(write));
    if (written && finished && part.state != "sent") {
        sent_.increment();
        tools_.logger.with(part.why.trace)
            .info("campaign.sent", {{"campaign_id", part.campaign_id},
                                    {"locale", part.locale},
                                    {"sent", there->sent}});
    }
    co_return written;
}

asio::awaitable<result<void>> campaign_sync::move_to(campaign_part part, std::string state,
                                                     std::int64_t remote_id,
                                                     std::optional<timestamp> not_before) {
    const auto now = tools_.time.now();
    auto write = [this, part, state, remote_id, not_before,
                  now](pg::transaction& tx) -> result<void> {
        set_part(tx, part, state, remote_id, not_before);
        report_progress(tx, part.campaign_id, tools_.service, now);
        return {};
    };
    auto written = co_await tools_.database.transact("move_campaign", std::move(write));
    co_return written;
}

/// What will not get better fails the campaign, visibly; the rest is tried again.
asio::awaitable<void> campaign_sync::settle_failure(campaign_part part, error why) {
    const bool hopeless = why.kind == error_kind::invalid || why.kind == error_kind::not_found;
    const auto now = tools_.time.now();
    const auto asked = why.retry_after.value_or(
        retry_pause.wait(static_cast<unsigned>(std::max(1, part.attempts))));
    const auto pause = std::min<std::chrono::milliseconds>(asked, longest_wait);
    auto write = [this, part, why, hopeless, now, pause](pg::transaction& tx) -> result<void> {
        if (hopeless) {
            fail_campaign(tx, part.campaign_id, why.slug);
            report_progress(tx, part.campaign_id, tools_.service, now);
        } else {
            retry_part(tx, part, why.slug, now + pause);
        }
        return {};
    };
    if (hopeless) {
        failed_.increment();
    }
    tools_.logger.with(part.why.trace)
        .warn("campaign.step_failed", {{"campaign_id", part.campaign_id},
                                       {"locale", part.locale},
                                       {"state", part.state},
                                       {"error", why.slug},
                                       {"given_up", hopeless}});
    const auto written = co_await tools_.database.transact("settle_campaign", std::move(write));
    if (!written) {
        co_return; // the lease ends by itself
    }
}

} // namespace relais::mailing_list_sync
