#include "outbox/relay_options.hpp"

namespace relais::outbox {

relay_options read_relay_options(config::reader& from) {
    relay_options read;
    const auto refused =
        from.choice("RELAIS_OUTBOX_REFUSED", {"block", "divert"}, "block",
                    "An event that Kafka refuses for good: stop there, or go on without it "
                    "(relaisctl outbox refused)");
    read.refused = refused == "divert" ? refused_policy::divert : refused_policy::block;
    const auto mode = from.choice("RELAIS_OUTBOX_MODE", {"logical", "polling"}, "logical",
                                  "How committed events are found: from the write-ahead log, or, "
                                  "on servers without wal_level=logical, by polling");
    read.mode = mode == "polling" ? relay_mode::polling : relay_mode::logical;
    read.shards = static_cast<std::size_t>(
        from.integer("RELAIS_OUTBOX_SHARDS", 4, 1, 64,
                     "Polling: parts of the work that instances share; the same in all of them"));
    read.poll_busy = from.duration_ms("RELAIS_OUTBOX_POLL_BUSY", read.poll_busy,
                                      "Polling: the wait after events were found");
    read.poll_idle = from.duration_ms("RELAIS_OUTBOX_POLL_IDLE", read.poll_idle,
                                      "Polling: the longest wait while there are none");
    read.bulk_batch = static_cast<std::size_t>(
        from.integer("RELAIS_OUTBOX_BULK_BATCH", 100, 1, 1'000,
                     "Bulk events moved into the outbox at a time: less delays others less"));
    read.bulk_lag_max = from.duration_ms("RELAIS_OUTBOX_BULK_LAG_MAX", read.bulk_lag_max,
                                         "Bulk work waits while the oldest unsent event is older");
    return read;
}

} // namespace relais::outbox
