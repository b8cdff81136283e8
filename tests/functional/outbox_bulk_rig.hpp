#pragma once

#include "functional/outbox_rig.hpp"
#include "outbox/bulk_pacer.hpp"
#include "outbox/bulk_store.hpp"

namespace relais::test {

/// Bulk events n = first … last of one key; n is the value.
inline std::vector<events::event> bulk_events(const std::string& key, int first, int last) {
    std::vector<events::event> made;
    for (int n = first; n <= last; ++n) {
        market::v1::JobPublished message;
        message.set_job_id(key);
        made.push_back(events::make_event(message, "web-api", {}, system_clock().now()));
        made.back().payload = std::to_string(n);
    }
    return made;
}

/// A relay and its pacer, on the rig's pool.
struct bulk_instance {
    relay_instance relay;
    outbox::bulk_pacer pacer;

    bulk_instance(outbox_rig& on, outbox::relay_options options, const std::string& relay_url)
        : relay(relay_url, on.topics.prefix(), on.loop, kafka_topics::brokers(), options),
          pacer(on.pool, relay.relay, options, relay.metrics, log::logger()) {}

    bulk_instance(outbox_rig& on, std::size_t batch)
        : bulk_instance(on, {.mode = on.mode, .bulk_batch = batch}, on.database.url()) {}

    void start() {
        relay.start();
        relay.tasks.spawn("pacer", pacer.run());
    }

    double moved() {
        return relay.metrics.counter("outbox_bulk_moved_total", "Bulk events moved into the outbox")
            .value();
    }
};

inline void stage(outbox_rig& on, const std::string& tenant,
                  const std::vector<events::event>& all) {
    REQUIRE(on.transact([&](pg::transaction& tx) -> result<void> {
        outbox::append_bulk(tx, all, tenant);
        return {};
    }));
}

/// How many one transaction moved; nullopt: somebody else is at it.
inline std::optional<std::size_t> move(outbox_rig& on, std::size_t at_most) {
    const auto moved =
        on.transact([&](pg::transaction& tx) -> result<std::optional<outbox::moved_batch>> {
            return outbox::move_bulk(tx, at_most);
        });
    REQUIRE(moved);
    return *moved ? std::optional((*moved)->count) : std::nullopt;
}

} // namespace relais::test
