#include "notification/store/webhooks.hpp"

namespace relais::notification {

void keep_webhook(pg::transaction& tx, const webhook& value, timestamp now) {
    tx.exec("insert into webhook (digest, provider, body, traceparent, received_at)"
            " values ($1, $2, $3, $4, $5) on conflict do nothing",
            {value.digest, value.provider, pg::parameter::bytes(std::string_view(value.body)),
             value.traceparent, now});
}

std::vector<webhook> open_webhooks(pg::transaction& tx, int at_most) {
    std::vector<webhook> out;
    const auto found =
        tx.exec("select digest, provider, body, traceparent from webhook where done_at is null"
                " order by received_at limit $1 for update skip locked",
                {at_most});
    for (const auto row : found) {
        out.push_back({row.text(0), row.text(1), row.bytes(2), row.text(3)});
    }
    return out;
}

void finish_webhook(pg::transaction& tx, const std::string& digest, std::string_view outcome,
                    timestamp now) {
    tx.exec("update webhook set done_at = $2, outcome = $3 where digest = $1",
            {digest, now, outcome});
}

bool keep_provider_event(pg::transaction& tx, const provider_event& value, timestamp now) {
    const auto kept = tx.exec("insert into provider_event (digest, provider, delivery_id, feedback,"
                              " reason, occurred_at, kept_at) values ($1, $2, $3, $4, $5, $6, $7)"
                              " on conflict do nothing",
                              {value.digest, value.provider, value.delivery, to_string(value.what),
                               value.reason, value.occurred_at, now});
    return kept.affected() > 0;
}

void apply_to_address(pg::transaction& tx, const provider_event& value) {
    if (value.address_hash.empty()) {
        return;
    }
    const auto key = pg::parameter::bytes(std::string_view(value.address_hash));
    const auto found = tx.exec("select soft_bounces, suppressed from address_health"
                               " where address_hash = $1 for update",
                               {key});
    address_health before;
    std::optional<std::string> suppressed;
    if (!found.empty()) {
        before.soft_bounces = static_cast<std::uint32_t>(found.front().integer(0));
        suppressed = found.front().optional_text(1);
    }
    const auto change = judge(value.what, value.reason, before);
    if (!change) {
        return;
    }
    if (!change->suppress) {
        tx.exec("insert into address_health (address_hash, reason, soft_bounces, since)"
                " values ($1, $2, $3, $4) on conflict (address_hash) do update set"
                " soft_bounces = excluded.soft_bounces",
                {key, change->reason, change->soft_bounces, value.occurred_at});
        return;
    }
    using enum health_change::scope;
    // A weaker suppression never replaces a stronger one.
    if (suppressed == "all" && *change->suppress == activity) {
        return;
    }
    std::optional<timestamp> until;
    if (change->suppress_for) {
        until = value.occurred_at + *change->suppress_for;
    }
    tx.exec("insert into address_health (address_hash, suppressed, suppressed_until, reason,"
            " soft_bounces, since) values ($1, $2, $3::timestamptz, $4, $5, $6)"
            " on conflict (address_hash) do update set suppressed = excluded.suppressed,"
            " suppressed_until = excluded.suppressed_until, reason = excluded.reason,"
            " soft_bounces = excluded.soft_bounces, since = excluded.since",
            {key, *change->suppress == all ? "all" : "activity", until, change->reason,
             change->soft_bounces, value.occurred_at});
}

void sweep(pg::transaction& tx, timestamp now) {
    const auto a_day = std::chrono::hours(24);
    tx.exec("delete from webhook where ctid = any(array(select ctid from webhook"
            " where done_at < $1 limit 5000))",
            {now - 7 * a_day});
    tx.exec("delete from provider_event where ctid = any(array(select ctid from provider_event"
            " where kept_at < $1 limit 5000))",
            {now - 90 * a_day});
    tx.exec("delete from delivery where ctid = any(array(select ctid from delivery"
            " where settled_at < $1 limit 5000))",
            {now - 90 * a_day});
}

} // namespace relais::notification
