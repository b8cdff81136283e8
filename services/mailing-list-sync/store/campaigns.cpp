#include "mailing-list-sync/store/campaigns.hpp"

#include "mailing-list-sync/domain/waits.hpp"
#include "mailing-list-sync/store/cause.hpp"
#include "outbox/outbox.hpp"

#include <fmt/format.h>

namespace relais::mailing_list_sync {
namespace {

namespace proto = marketing::v1;

proto::CampaignState state_of(std::string_view reason, std::int64_t parts, std::int64_t sent_parts,
                              std::int64_t begun_parts) {
    if (!reason.empty()) {
        return proto::CAMPAIGN_STATE_FAILED;
    }
    if (sent_parts == parts) {
        return proto::CAMPAIGN_STATE_SENT;
    }
    return begun_parts > 0 ? proto::CAMPAIGN_STATE_SENDING : proto::CAMPAIGN_STATE_ACCEPTED;
}

} // namespace

bool add_campaign(pg::transaction& tx, const proto::CampaignRequested& request,
                  const std::vector<std::string>& locales, std::int64_t audience,
                  const events::cause& why, timestamp now) {
    const auto added =
        tx.exec("insert into campaign (campaign_id, name, list, locale, template, state, audience,"
                " traceparent, correlation_id, causation_id)"
                " values ($1, $2, $3, $4, $5, 'requested', $6, $7, $8, $9) on conflict do nothing",
                {request.campaign_id(), request.name(), request.list(), request.locale(),
                 request.template_(), audience, why.trace.traceparent(), why.correlation_id,
                 why.causation_id});
    if (added.affected() == 0) {
        return false;
    }
    for (const auto& locale : locales) {
        tx.exec("insert into campaign_part (campaign_id, locale, state, not_before)"
                " values ($1, $2, 'requested', $3)",
                {request.campaign_id(), locale, now});
    }
    return true;
}

std::vector<campaign_part> lease_parts(pg::transaction& tx, int at_most, timestamp now,
                                       std::chrono::seconds lease) {
    const auto taken = tx.exec(
        "update campaign_part p set not_before = $1, attempts = p.attempts + 1 from campaign c"
        " where c.campaign_id = p.campaign_id and (p.campaign_id, p.locale) in"
        " (select campaign_id, locale from campaign_part where not_before <= $2 or not_before > $4"
        " order by not_before limit $3 for update skip locked)"
        " returning p.campaign_id, p.locale, p.state, coalesce(p.remote_id, 0), p.attempts, c.name,"
        " c.list, c.template, c.traceparent, c.correlation_id, c.causation_id",
        {now + lease, now, at_most, now + believed_wait});
    std::vector<campaign_part> out;
    for (const auto row : taken) {
        out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3),
                       static_cast<int>(row.integer(4)), row.text(5), row.text(6), row.text(7),
                       cause_at(row, 8)});
    }
    return out;
}

void set_part(pg::transaction& tx, const campaign_part& part, std::string_view state,
              std::int64_t remote_id, std::optional<timestamp> not_before) {
    tx.exec("update campaign_part set state = $3, remote_id = nullif($4::bigint, 0),"
            " not_before = $5, attempts = 0, last_error = null"
            " where campaign_id = $1 and locale = $2",
            {part.campaign_id, part.locale, state, remote_id, not_before});
}

void set_part_counts(pg::transaction& tx, const campaign_part& part, std::int64_t sent,
                     std::int64_t delivered, std::int64_t unsubscribed, timestamp now) {
    tx.exec("update campaign_part set sent = greatest(sent, $3::bigint),"
            " delivered = greatest(delivered, $4::bigint),"
            " unsubscribed = greatest(unsubscribed, $5::bigint), polled_at = $6"
            " where campaign_id = $1 and locale = $2",
            {part.campaign_id, part.locale, sent, delivered, unsubscribed, now});
}

void retry_part(pg::transaction& tx, const campaign_part& part, const std::string& reason,
                timestamp not_before) {
    tx.exec("update campaign_part set last_error = $3, not_before = $4"
            " where campaign_id = $1 and locale = $2",
            {part.campaign_id, part.locale, reason, not_before});
}

void fail_campaign(pg::transaction& tx, const std::string& campaign_id, const std::string& reason) {
    tx.exec("update campaign set reason = $2, state = 'failed' where campaign_id = $1",
            {campaign_id, reason});
    tx.exec("update campaign_part set state = 'failed', not_before = null"
            " where campaign_id = $1 and state <> 'sent'",
            {campaign_id});
}

void hint_for_remote(pg::transaction& tx, std::int64_t remote_id, timestamp now) {
    tx.exec("update campaign_part set not_before = least(not_before,"
            " greatest($2::timestamptz, polled_at + interval '60 seconds'))"
            " where remote_id = $1 and state in ('sending', 'sent')",
            {remote_id, now});
}

void report_progress(pg::transaction& tx, const std::string& campaign_id, std::string_view service,
                     timestamp now) {
    // The lock makes reports of one campaign follow each other.
    const auto campaign =
        tx.exec("select reason, audience, reported, traceparent, correlation_id, causation_id"
                " from campaign where campaign_id = $1 for update",
                {campaign_id});
    const auto counts = tx.exec(
        "select count(*), count(*) filter (where state = 'sent'),"
        " count(*) filter (where state in ('sending', 'sent')), coalesce(sum(sent), 0)::bigint,"
        " coalesce(sum(delivered), 0)::bigint, coalesce(sum(unsubscribed), 0)::bigint,"
        " coalesce(string_agg(remote_id::text, ',' order by locale), '')"
        " from campaign_part where campaign_id = $1",
        {campaign_id});
    const auto about = campaign.front();
    const auto sums = counts.front();
    proto::CampaignProgressed event;
    event.set_campaign_id(campaign_id);
    event.set_state(state_of(about.view(0), sums.integer(0), sums.integer(1), sums.integer(2)));
    event.set_audience(static_cast<std::uint64_t>(about.integer(1)));
    event.set_sent(static_cast<std::uint64_t>(sums.integer(3)));
    event.set_delivered(static_cast<std::uint64_t>(sums.integer(4)));
    event.set_unsubscribed(static_cast<std::uint64_t>(sums.integer(5)));
    event.set_reason(about.text(0));
    event.set_provider("brevo");
    event.set_provider_campaign_id(sums.text(6));
    const auto report = fmt::format("{}/{}/{}/{}", static_cast<int>(event.state()), event.sent(),
                                    event.delivered(), event.unsubscribed());
    if (report == about.view(2)) {
        return;
    }
    tx.exec("update campaign set reported = $2 where campaign_id = $1", {campaign_id, report});
    outbox::append(tx, events::make_event(event, service, cause_at(about, 3), now));
}

std::optional<timestamp> next_part_at(pg::transaction& tx) {
    return tx.exec("select min(not_before) from campaign_part").front().optional_time(0);
}

} // namespace relais::mailing_list_sync
