#include "mailing-list-sync/workers/contact_sync.hpp"

#include "async/backoff.hpp"
#include "mailing-list-sync/domain/waits.hpp"
#include "mailing-list-sync/store/contacts.hpp"
#include "mailing-list-sync/store/sync_state.hpp"
#include "outbox/outbox.hpp"

#include <relais/marketing/v1/contact_events.pb.h>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

constexpr std::size_t calls_at_once = 4;
constexpr std::chrono::seconds lease{60};
constexpr std::chrono::milliseconds longest_sleep{5'000};
constexpr async::backoff retry_pause{std::chrono::milliseconds(500), std::chrono::minutes(5)};

} // namespace

contact_sync::contact_sync(tools given, asio::io_context& loop)
    : tools_(std::move(given)), woken_(loop),
      running_(loop,
               [logger = tools_.logger](const std::string& name, const std::string& what) {
                   logger.error("task.failed", {{"task", name}, {"error", what}});
               }),
      done_(tools_.metrics.counter("list_sync_contacts_total", "People made equal at the provider",
                                   {{"result", "done"}})),
      failed_(tools_.metrics.counter("list_sync_contacts_total",
                                     "People made equal at the provider", {{"result", "retry"}})),
      seconds_(tools_.metrics.histogram("list_sync_seconds",
                                        "From the cause of a change to the provider's answer",
                                        metrics::delivery_seconds())),
      retries_left_(
          tools_.metrics.gauge("list_sync_retry_budget_left",
                               "Retries allowed at once; negative: so many wait longer")) {
    retries_left_.set(budget_.left());
}

void contact_sync::wake() {
    woken_.notify_all();
}

asio::awaitable<void> contact_sync::run() {
    auto release = [owner = tools_.instance](pg::transaction& tx) -> result<void> {
        release_leases(tx, owner);
        return {};
    };
    while (true) {
        const auto released = co_await tools_.database.transact("release_leases", release);
        if (released) {
            break;
        }
        co_await async::sleep_for(std::chrono::milliseconds(500));
    }
    try {
        while (true) {
            const auto pause = co_await lease_and_start();
            if (pause.count() > 0) {
                co_await woken_.wait_for(pause);
            }
        }
    } catch (...) {
        // Cancelled: what is under way ends first, so that no answer of the provider is lost.
        running_.cancel();
        throw;
    }
}

/// Starts what is due; says how long nothing else will be.
asio::awaitable<std::chrono::milliseconds> contact_sync::lease_and_start() {
    const std::size_t room = calls_at_once - in_flight_;
    if (room == 0) {
        co_return longest_sleep; // whoever ends wakes us
    }

    struct batch {
        std::vector<sync_task> tasks;
        std::optional<timestamp> next;
    };

    const auto now = tools_.time.now();
    auto take = [owner = tools_.instance, room, now](pg::transaction& tx) -> result<batch> {
        auto tasks = lease_tasks(tx, owner, static_cast<int>(room), now, lease);
        return batch{std::move(tasks), next_task_at(tx)};
    };
    auto taken = co_await tools_.database.transact("lease_tasks", std::move(take));
    if (!taken) {
        co_return std::chrono::milliseconds(500);
    }
    for (auto& task : taken->tasks) {
        ++in_flight_;
        running_.spawn("contact-sync", handle(std::move(task)));
    }
    if (taken->tasks.size() == room || !taken->next) {
        co_return longest_sleep;
    }
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(*taken->next - now);
    co_return std::clamp(until, std::chrono::milliseconds(1), longest_sleep);
}

asio::awaitable<void> contact_sync::handle(sync_task task) {
    if (task.attempts <= 1) {
        budget_.earn(tools_.time.steady_now());
    }
    const auto logger = tools_.logger.with(task.why.trace);
    auto read = [id =
                     task.account_id](pg::transaction& tx) -> result<std::optional<sync_decision>> {
        return decide_for(tx, id);
    };
    const auto decision = co_await tools_.database.transact("decide", std::move(read));
    result<void> outcome = result<void>();
    if (!decision) {
        outcome = fail(decision);
    } else if (*decision) {
        outcome = co_await carry_out(task, **decision);
        if (outcome) {
            outcome = co_await record(task, **decision);
        }
    } else {
        outcome = co_await record(task, sync_decision());
    }
    if (outcome) {
        done_.increment();
        logger.info("contact.synced", {{"account_id", task.account_id}});
    } else {
        failed_.increment();
        logger.warn("contact.sync_failed", {{"account_id", task.account_id},
                                            {"error", outcome.error().slug},
                                            {"attempt", task.attempts}});
        co_await retry(std::move(task), outcome.error());
    }
    --in_flight_;
    woken_.notify_all();
}

asio::awaitable<result<void>> contact_sync::carry_out(const sync_task& task,
                                                      const sync_decision& decision) {
    const auto where = task.why.trace.child();
    if (decision.plan.what == sync_plan::kind::nothing) {
        co_return result<void>();
    }
    if (decision.plan.what == sync_plan::kind::remove) {
        co_return co_await tools_.provider.delete_contact(task.account_id, where);
    }
    const auto add_to = co_await tools_.lists.ids_of(decision.plan.add_to, where);
    const auto remove_from = co_await tools_.lists.ids_of(decision.plan.remove_from, where);
    if (!add_to || !remove_from) {
        co_return fail(add_to ? remove_from : add_to);
    }
    const contact_change change{task.account_id, decision.wanted, *add_to, *remove_from,
                                decision.lift_block};
    result<void> done = fail(error_kind::not_found, "unknown-at-provider");
    if (decision.plan.what == sync_plan::kind::update || decision.lift_block) {
        done = co_await tools_.provider.update_contact(change, task.how, where);
    }
    if (!done && done.error().kind == error_kind::not_found) {
        done = co_await tools_.provider.create_contact(change, task.how, where);
        if (!done && done.error().kind == error_kind::conflict) {
            done = co_await tools_.provider.update_contact(change, task.how, where);
        }
    }
    if (!done && done.error().kind == error_kind::invalid) {
        tools_.lists.forget(); // a list that somebody deleted there looks like this too
    }
    co_return done;
}

asio::awaitable<result<void>> contact_sync::record(sync_task task, sync_decision decision) {
    const auto now = tools_.time.now();
    auto write = [this, task, decision, now](pg::transaction& tx) -> result<void> {
        save_shadow(tx, task.account_id, decision.wanted, now);
        if (decision.joins || decision.leaves) {
            marketing::v1::ListMembershipChanged event;
            event.set_account_id(task.account_id);
            event.set_list(std::string(newsletter));
            event.set_member(decision.joins);
            outbox::append(tx, events::make_event(event, tools_.service, task.why, now));
        }
        finish_task(tx, task);
        return {};
    };
    auto written = co_await tools_.database.transact("finish_task", std::move(write));
    co_return written;
}

asio::awaitable<void> contact_sync::retry(sync_task task, error why) {
    // Whoever says when to come again has thought of the crowd.
    auto asked = why.retry_after.value_or(
        retry_pause.wait(static_cast<unsigned>(std::max(1, task.attempts))));
    if (!why.retry_after) {
        asked += budget_.spend(tools_.time.steady_now());
        retries_left_.set(budget_.left());
    }
    const auto pause = std::min<std::chrono::milliseconds>(asked, longest_wait);
    const auto not_before = tools_.time.now() + pause;
    auto write = [task, why, not_before](pg::transaction& tx) -> result<void> {
        retry_task(tx, task, why.slug, not_before);
        return {};
    };
    const auto written = co_await tools_.database.transact("retry_task", std::move(write));
    if (!written) {
        tools_.logger.warn("contact.sync_lease_kept", {{"account_id", task.account_id}});
    }
}

} // namespace relais::mailing_list_sync
