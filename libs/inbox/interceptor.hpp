#pragma once

#include "events/event.hpp"
#include "inbox/outcome.hpp"
#include "postgres/transaction.hpp"

#include <cstdint>
#include <functional>

namespace relais::inbox {

struct context;

/// What is to happen around every event of a consumer, whatever its handler. Empty functions are
/// skipped; several interceptors run in the order of their registration. The functions with a
/// transaction run on a database thread, in the transaction that does what they are told about.
struct interceptor {
    /// Before the handler. An error is the handler's: it is not called, the event fails.
    std::function<result<void>(pg::transaction&, const context&)> before;
    /// After it succeeded. An error fails the event.
    std::function<result<void>(pg::transaction&, const context&)> success;
    /// An attempt failed and was rolled back; this is the transaction that notes the failure.
    std::function<void(pg::transaction&, const events::event&, const relais::error&,
                       std::uint32_t attempt)>
        error;
    /// The event becomes a dead letter. Not called for one without a readable envelope.
    std::function<void(pg::transaction&, const events::event&, const relais::error&)> dead;
    /// After COMMIT, whatever became of it. On the loop's thread.
    std::function<void(const events::event&, outcome)> after;
};

} // namespace relais::inbox
