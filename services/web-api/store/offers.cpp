#include "web-api/store/offers.hpp"

#include "web-api/domain/lifecycle.hpp"

namespace relais::web_api::store {
namespace {

offer read_offer(const pg::row& row) {
    return {.id = row.id_at<offer_id>(0),
            .job = row.id_at<job_id>(1),
            .provider = row.id_at<account_id>(2),
            .state = row.text(3),
            .price = money::make(row.integer(4), row.view(5)).value(),
            .message = row.text(6),
            .made_at = row.time(7),
            .decided_at = row.optional_time(8)};
}

} // namespace

void insert_offer(pg::transaction& tx, const offer& value) {
    tx.exec("INSERT INTO offer (id, job_id, provider_id, state, amount_minor, currency, message, "
            "made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            {value.id, value.job, value.provider, value.state, value.price.amount_minor(),
             value.price.currency(), value.message, value.made_at});
}

std::optional<offer> find_offer(pg::transaction& tx, offer_id id) {
    const auto rows = tx.exec("SELECT id, job_id, provider_id, state, amount_minor, currency, "
                              "message, made_at, decided_at FROM offer WHERE id = $1",
                              {id});
    if (rows.empty()) {
        return std::nullopt;
    }
    return read_offer(rows.front());
}

std::vector<offer> list_offers(pg::transaction& tx, job_id job, const list_position& after,
                               std::size_t limit) {
    std::vector<offer> page;
    const auto rows = tx.exec("SELECT id, job_id, provider_id, state, amount_minor, currency, "
                              "message, made_at, decided_at FROM offer "
                              "WHERE job_id = $1 AND (made_at, id) < ($2, $3) "
                              "ORDER BY made_at DESC, id DESC LIMIT $4",
                              {job, after.time, after.id, limit});
    for (const auto row : rows) {
        page.push_back(read_offer(row));
    }
    return page;
}

std::size_t open_offers_of(pg::transaction& tx, job_id job, account_id provider) {
    const auto rows = tx.exec("SELECT count(*) FROM offer "
                              "WHERE job_id = $1 AND provider_id = $2 AND decided_at IS NULL",
                              {job, provider});
    return static_cast<std::size_t>(rows.front().integer(0));
}

bool accept_offer(pg::transaction& tx, offer_id id, timestamp now) {
    const auto& accept = transition_of("offer", "accept");
    const auto accepted =
        tx.exec("UPDATE offer SET state = $2, decided_at = $3 WHERE id = $1 AND state = ANY ($4)",
                {id, accept.to, now, pg::parameter::array(states_before(accept))});
    return accepted.affected() == 1;
}

std::vector<offer_id> supersede_offers(pg::transaction& tx, job_id job, offer_id accepted,
                                       timestamp now) {
    const auto& supersede = transition_of("offer", "supersede");
    const auto rows =
        tx.exec("UPDATE offer SET state = $3, decided_at = $4 "
                "WHERE job_id = $1 AND id <> $2 AND state = ANY ($5) RETURNING id",
                {job, accepted, supersede.to, now, pg::parameter::array(states_before(supersede))});
    std::vector<offer_id> superseded;
    for (const auto row : rows) {
        superseded.push_back(row.id_at<offer_id>(0));
    }
    return superseded;
}

} // namespace relais::web_api::store
