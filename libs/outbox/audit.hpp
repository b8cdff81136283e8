#pragma once

#include "postgres/transaction.hpp"

#include <string>

namespace relais::outbox {

/// Something that a person changed by hand.
struct act {
    std::string service; ///< whose data: "notification"
    std::string who;
    std::string action; ///< "dead-letter.redrive", "timer.cancel"
    std::string target; ///< within the service: "dead-letter/17"
    std::string why;
    std::string before; ///< state, as JSON where there is one; never an event's own data
    std::string after;
};

/// Publishes it (relais.ops.v1.OperatorActed) with the transaction that does it.
void note_act(pg::transaction& tx, const act& what, timestamp now);

} // namespace relais::outbox
