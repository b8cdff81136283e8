#include "web-api/store/campaigns.hpp"

namespace relais::web_api::store {
namespace {

void append_step(pg::transaction& tx, campaign_id id, const campaign_step& step) {
    tx.exec("INSERT INTO campaign_history (campaign_id, seq, state, reason, at) "
            "SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4 "
            "FROM campaign_history WHERE campaign_id = $1",
            {id, step.state, step.reason, step.at});
}

} // namespace

void insert_campaign(pg::transaction& tx, const campaign& value) {
    tx.exec("INSERT INTO campaign (id, name, list, locale, template, requested_by, state, "
            "requested_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            {value.id, value.name, value.list, value.locale, value.template_name,
             value.requested_by, value.state, value.requested_at, value.updated_at});
    append_step(tx, value.id, {value.state, "", value.requested_at});
}

std::optional<campaign> find_campaign(pg::transaction& tx, campaign_id id) {
    const auto rows =
        tx.exec("SELECT name, list, locale, template, requested_by, state, reason, audience, "
                "sent, delivered, unsubscribed, requested_at, updated_at "
                "FROM campaign WHERE id = $1",
                {id});
    if (rows.empty()) {
        return std::nullopt;
    }
    const auto row = rows.front();
    const auto count = [&row](int column) {
        return static_cast<std::uint64_t>(row.integer(column));
    };
    return campaign{.id = id,
                    .name = row.text(0),
                    .list = row.text(1),
                    .locale = row.optional_text(2),
                    .template_name = row.text(3),
                    .requested_by = row.id_at<api_key_id>(4),
                    .state = row.text(5),
                    .reason = row.text(6),
                    .counts = {count(7), count(8), count(9), count(10)},
                    .requested_at = row.time(11),
                    .updated_at = row.time(12)};
}

std::vector<campaign_step> campaign_history(pg::transaction& tx, campaign_id id) {
    std::vector<campaign_step> steps;
    const auto rows = tx.exec("SELECT state, reason, at FROM campaign_history "
                              "WHERE campaign_id = $1 ORDER BY seq",
                              {id});
    for (const auto row : rows) {
        steps.push_back({row.text(0), row.text(1), row.time(2)});
    }
    return steps;
}

bool record_progress(pg::transaction& tx, campaign_id id, const campaign_progress& progress,
                     timestamp at) {
    const auto before = tx.exec("SELECT state FROM campaign WHERE id = $1 FOR NO KEY UPDATE", {id});
    if (before.empty()) {
        return false;
    }
    tx.exec("UPDATE campaign SET state = $2, reason = $3, audience = $4, sent = $5, "
            "delivered = $6, unsubscribed = $7, updated_at = $8 WHERE id = $1",
            {id, progress.state, progress.reason, progress.counts.audience, progress.counts.sent,
             progress.counts.delivered, progress.counts.unsubscribed, at});
    if (before.front().view(0) != progress.state) {
        append_step(tx, id, {progress.state, progress.reason, at});
    }
    return true;
}

} // namespace relais::web_api::store
