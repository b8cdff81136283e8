#pragma once

#include "config/reader.hpp"

namespace relais::outbox {

/// What becomes of an event that Kafka refuses for good.
enum class refused_policy {
    block,  ///< nothing behind it is published until somebody has mended the cause
    divert, ///< it goes to outbox_refused, and the rest goes on without it
};

/// What whoever runs a service may choose about its relay.
struct relay_options {
    refused_policy refused = refused_policy::block;
};

/// RELAIS_OUTBOX_*
relay_options read_relay_options(config::reader& from);

} // namespace relais::outbox
