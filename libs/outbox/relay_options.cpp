#include "outbox/relay_options.hpp"

namespace relais::outbox {

relay_options read_relay_options(config::reader& from) {
    relay_options read;
    const auto refused =
        from.choice("RELAIS_OUTBOX_REFUSED", {"block", "divert"}, "block",
                    "An event that Kafka refuses for good: stop there, or go on without it "
                    "(relaisctl outbox refused)");
    read.refused = refused == "divert" ? refused_policy::divert : refused_policy::block;
    return read;
}

} // namespace relais::outbox
