#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"

#include <functional>
#include <span>
#include <string_view>

namespace relais::outbox {

/// Writes the event in the caller's transaction: it will be published after COMMIT, in commit
/// order, and never when the transaction rolls back. The only way to publish for a service with a
/// database. Checks before the insert what could stop the relay later: known topic, key present,
/// size ≤ 900 KiB; a violation is a bug and throws std::logic_error.
void append(pg::transaction& tx, const events::event& value);

/// The same for many, in their order, with a statement for every thousand (or 8 MiB) of them. All
/// are checked before the first is written.
void append(pg::transaction& tx, std::span<const events::event> values);

/// For work that may come later than everything else (a campaign's million events): stages the
/// events in outbox_bulk, from where the bulk_pacer moves them on as fast as the relay keeps up.
/// Tenants take turns, one event each, however much another one has staged before; an empty name is
/// a tenant like any other. Order per key holds within a tenant, not between this and append(), so
/// an aggregate's events go one way. Checks and statements as above; the tenant's name has 200
/// bytes at most. Stage a million events in many transactions (of 1,000 or so): the stream decodes
/// each transaction whole, whatever table it is about.
void append_bulk(pg::transaction& tx, std::span<const events::event> values,
                 std::string_view tenant = "");

/// What is to happen to every event that this process appends or stages, as long as this exists;
/// several run in the order of their making. May change the event (an expiry, a need) or refuse it
/// by throwing. Make them before the process serves and end them after: not thread-safe.
class [[nodiscard]] append_interceptor {
public:
    using function = std::function<void(pg::transaction&, events::event&)>;

    explicit append_interceptor(function each);
    ~append_interceptor();
    append_interceptor(const append_interceptor&) = delete;
    append_interceptor& operator=(const append_interceptor&) = delete;

private:
    function each_;
};

} // namespace relais::outbox
