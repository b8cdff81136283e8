#include "web-api/store/jobs.hpp"

#include "web-api/domain/lifecycle.hpp"

namespace relais::web_api::store {
namespace {

constexpr std::string_view columns =
    "id, requester_id, state, version, snapshot_version, category, locality, title, description, "
    "budget_minor, currency, accepted_offer_id, published_at";

/// What was checked when it was written.
money read_money(std::int64_t amount_minor, std::string_view currency) {
    return money::make(amount_minor, currency).value();
}

job read_job(const pg::row& row) {
    return {.id = row.id_at<job_id>(0),
            .requester = row.id_at<account_id>(1),
            .state = row.text(2),
            .version = static_cast<std::uint64_t>(row.integer(3)),
            .snapshot_version = static_cast<std::uint64_t>(row.integer(4)),
            .category = row.text(5),
            .locality = row.text(6),
            .title = row.text(7),
            .description = row.text(8),
            .budget = read_money(row.integer(9), row.view(10)),
            .accepted_offer =
                row.is_null(11) ? std::nullopt : std::optional(row.id_at<offer_id>(11)),
            .published_at = row.time(12)};
}

std::optional<job> first_job(const pg::rows& rows) {
    if (rows.empty()) {
        return std::nullopt;
    }
    return read_job(rows.front());
}

/// One statement per set of filters, so that each is planned for its own index.
std::string list_statement(const job_filter& filter) {
    std::string sql = "SELECT ";
    sql += columns;
    sql += " FROM job WHERE state = 'open' AND (published_at, id) < ($1, $2)";
    int next = 4;
    if (filter.category) {
        sql += " AND category = $" + std::to_string(next++);
    }
    if (filter.locality) {
        sql += " AND locality = $" + std::to_string(next);
    }
    return sql + " ORDER BY published_at DESC, id DESC LIMIT $3";
}

} // namespace

void insert_job(pg::transaction& tx, const job& value) {
    tx.exec("INSERT INTO job (id, requester_id, state, version, snapshot_version, category, "
            "locality, title, description, budget_minor, currency, published_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            {value.id, value.requester, value.state, value.version, value.snapshot_version,
             value.category, value.locality, value.title, value.description,
             value.budget.amount_minor(), value.budget.currency(), value.published_at});
}

std::optional<job> find_job(pg::transaction& tx, job_id id) {
    static const std::string sql = "SELECT " + std::string(columns) + " FROM job WHERE id = $1";
    return first_job(tx.exec(sql, {id}));
}

std::optional<job> hold_job(pg::transaction& tx, job_id id) {
    static const std::string sql =
        "SELECT " + std::string(columns) + " FROM job WHERE id = $1 FOR SHARE";
    return first_job(tx.exec(sql, {id}));
}

std::vector<job> list_open_jobs(pg::transaction& tx, const job_filter& filter,
                                const list_position& after, std::size_t limit) {
    std::vector<pg::parameter> parameters{after.time, after.id, limit};
    if (filter.category) {
        parameters.emplace_back(*filter.category);
    }
    if (filter.locality) {
        parameters.emplace_back(*filter.locality);
    }
    std::vector<job> page;
    const auto rows = tx.exec(list_statement(filter), parameters);
    for (const auto row : rows) {
        page.push_back(read_job(row));
    }
    return page;
}

bool assign_job(pg::transaction& tx, job_id id, offer_id accepted) {
    const auto& assign = transition_of("job", "assign");
    const auto assigned =
        tx.exec("UPDATE job SET state = $3, accepted_offer_id = $2, version = version + 1 "
                "WHERE id = $1 AND state = ANY ($4)",
                {id, accepted, assign.to, pg::parameter::array(states_before(assign))});
    return assigned.affected() == 1;
}

} // namespace relais::web_api::store
