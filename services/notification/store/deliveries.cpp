#include "notification/store/deliveries.hpp"

#include "notification/store/facts_json.hpp"

namespace relais::notification {
namespace {

constexpr std::string_view claim_sql =
    "with due as materialized ("
    "  select delivery_id from delivery"
    "  where channel = $1 and state in ('pending', 'sending', 'ambiguous')"
    "    and (due_at <= $2 or due_at > $6) and delivery_id <> all ($5::uuid[])"
    "  order by due_at limit $3 for update skip locked), "
    "claimed as ("
    "  update delivery d set fence = fence + 1, due_at = $4,"
    "    state = case when state = 'pending' then 'sending' else 'ambiguous' end,"
    "    attempts = attempts + case when state = 'pending' then 1 else 0 end"
    "  from due where d.delivery_id = due.delivery_id returning d.*) "
    "select c.delivery_id, c.template, c.account_id, c.language, c.facts::text, c.fence,"
    "  c.attempts, c.deferrals, c.look_ups, c.resends, c.state = 'ambiguous', c.not_after,"
    "  c.caused_at, c.cause_event_id, c.traceparent, c.correlation_id,"
    "  p.account_id is not null, p.email, p.email_validated, p.display_name,"
    "  case when h.suppressed_until is null or h.suppressed_until > $2 then h.suppressed end,"
    "  (select string_agg(v.subscription_id, ' ') from device v where v.account_id = c.account_id"
    "    and v.provider = 'onesignal' and v.dead_at is null), j.title "
    "from claimed c left join contact p using (account_id)"
    "  left join address_health h using (address_hash)"
    "  left join job j on j.job_id = (c.facts->>'job_id')::uuid "
    "order by c.created_at";

std::vector<std::string> words(const std::optional<std::string>& text) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    while (text && begin < text->size()) {
        const auto end = std::min(text->find(' ', begin), text->size());
        out.push_back(text->substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

pg::parameter array_of(const std::set<delivery_id>& ids) {
    std::vector<std::string> texts;
    texts.reserve(ids.size());
    for (const auto& each : ids) {
        texts.push_back(each.text());
    }
    return pg::parameter::array(texts);
}

claimed_delivery from_row(const pg::row& row, channel which) {
    claimed_delivery out;
    out.id = row.id_at<delivery_id>(0);
    out.template_name = row.text(1);
    out.kind = find_kind(out.template_name);
    out.channel = which;
    out.account = row.id_at<account_id>(2);
    out.language = row.text(3);
    if (auto known = facts_from_json(row.view(4))) {
        out.known = std::move(*known);
    } else {
        out.kind = nullptr;
    }
    out.fence = row.integer(5);
    const auto count = [&](int column) {
        return static_cast<unsigned>(row.integer(column));
    };
    out.history = {count(6), count(7), count(8), count(9)};
    out.ambiguous = row.boolean(10);
    out.not_after = row.time(11);
    out.caused_at = row.time(12);
    out.cause_event_id = row.text(13);
    out.traceparent = row.text(14);
    out.correlation_id = row.text(15);
    out.known_person = row.boolean(16);
    if (out.known_person) {
        out.email = row.text(17);
        out.email_validated = row.boolean(18);
        out.display_name = row.text(19);
        out.suppressed = row.optional_text(20).value_or("");
        out.subscriptions = words(row.optional_text(21));
    }
    out.job_title = row.optional_text(22);
    return out;
}

} // namespace

void add_delivery(pg::transaction& tx, const new_delivery& value, const events::event& cause,
                  timestamp now) {
    tx.exec("insert into delivery (delivery_id, cause_event_id, template, channel, account_id,"
            " language, facts, due_at, not_after, traceparent, correlation_id, caused_at,"
            " created_at) values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10, $11, $12, $8)"
            " on conflict (cause_event_id, template, channel, account_id) do nothing",
            {delivery_id::make(), cause.id, value.kind->name, to_string(value.channel),
             value.account, value.language, to_json(value.known), now, value.not_after,
             cause.cause.trace.traceparent(), cause.cause.correlation_id, cause.time});
}

std::string_view to_string(delivery_state value) {
    switch (value) {
    case delivery_state::pending:
        return "pending";
    case delivery_state::sending:
        return "sending";
    case delivery_state::ambiguous:
        return "ambiguous";
    case delivery_state::accepted:
        return "accepted";
    case delivery_state::failed:
        return "failed";
    case delivery_state::skipped:
        return "skipped";
    }
    return "failed";
}

bool is_settled(delivery_state value) {
    return value == delivery_state::accepted || value == delivery_state::failed ||
           value == delivery_state::skipped;
}

std::vector<claimed_delivery> claim_due(pg::transaction& tx, channel which, std::size_t at_most,
                                        timestamp now, std::chrono::milliseconds lease,
                                        const std::set<delivery_id>& in_hand) {
    std::vector<claimed_delivery> out;
    const auto found = tx.exec(claim_sql, {to_string(which), now, at_most, now + lease,
                                           array_of(in_hand), now + believed_wait});
    for (const auto row : found) {
        out.push_back(from_row(row, which));
    }
    return out;
}

std::optional<timestamp> next_due(pg::transaction& tx, channel which,
                                  const std::set<delivery_id>& in_hand) {
    return tx
        .exec("select min(due_at) from delivery where channel = $1"
              " and state in ('pending', 'sending', 'ambiguous')"
              " and delivery_id <> all ($2::uuid[])",
              {to_string(which), array_of(in_hand)})
        .front()
        .optional_time(0);
}

std::vector<queue_size> queue_sizes(pg::transaction& tx) {
    std::vector<queue_size> out;
    const auto found = tx.exec("select channel, state, count(*), min(created_at) from delivery"
                               " where state in ('pending', 'sending', 'ambiguous')"
                               " group by channel, state");
    for (const auto row : found) {
        out.push_back({row.text(0), row.text(1), row.integer(2), row.time(3)});
    }
    return out;
}

} // namespace relais::notification
