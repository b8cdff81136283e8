#include "backbone/node.hpp"
#include "outbox/bulk_pacer.hpp"
#include "outbox/relay.hpp"

namespace relais::backbone {

/// --url SOURCE --brokers LIST --prefix TEXT [--linger MS] [--mode logical|polling]
/// [--bulk 1 [--bulk-batch N]]: with the pacer beside it
void relay_events(const options& given) {
    node on(given, "relay");
    outbox::relay_options how;
    how.mode = given.text("mode", "logical") == "polling" ? outbox::relay_mode::polling
                                                          : outbox::relay_mode::logical;
    how.bulk_batch = static_cast<std::size_t>(
        given.number("bulk-batch", static_cast<std::int64_t>(how.bulk_batch)));
    outbox::relay relay(
        {.service = "web-api",
         .database_url = given.text("url"),
         .producer = {.brokers = given.text("brokers"),
                      .client_id = given.text("instance", "relay"),
                      .linger = std::chrono::milliseconds(given.number("linger", 0)),
                      .topic_prefix = given.text("prefix")},
         .options = how,
         .standby_retry = std::chrono::milliseconds(100)},
        on.loop(), on.metrics(), on.logger());
    pg::pool database(on.pool_settings(1), on.metrics(), on.logger());
    outbox::bulk_pacer pacer(database, relay, how, on.metrics(), on.logger());
    on.tasks().spawn("relay", relay.run());
    if (given.number("bulk", 0) != 0) {
        on.tasks().spawn("pacer", pacer.run());
    }
    on.run();
}

} // namespace relais::backbone
