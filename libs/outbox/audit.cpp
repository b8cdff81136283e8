#include "outbox/audit.hpp"

#include "outbox/outbox.hpp"
#include "relais/ops/v1/audit_events.pb.h"

#include <fmt/format.h>

namespace relais::outbox {

void note_act(pg::transaction& tx, const act& what, timestamp now) {
    ops::v1::OperatorActed message;
    message.set_service(what.service);
    message.set_who(what.who);
    message.set_action(what.action);
    message.set_target(fmt::format("{}/{}", what.service, what.target));
    message.set_reason(what.why);
    message.set_before(what.before);
    message.set_after(what.after);
    const auto why = events::cause::from_request(trace::context::start(), what.action);
    append(tx, events::make_event(message, what.service, why, now));
}

} // namespace relais::outbox
