#include "backbone/node.hpp"
#include "outbox/relay.hpp"

namespace relais::backbone {

/// --url SOURCE --brokers LIST --prefix TEXT [--linger MS] [--mode logical|polling]
void relay_events(const options& given) {
    node on(given, "relay");
    outbox::relay_options how;
    how.mode = given.text("mode", "logical") == "polling" ? outbox::relay_mode::polling
                                                          : outbox::relay_mode::logical;
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
    on.tasks().spawn("relay", relay.run());
    on.run();
}

} // namespace relais::backbone
