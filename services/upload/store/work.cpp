#include "upload/store/work.hpp"

namespace relais::upload::store {
namespace {

/// Longer than any work is put off: what is due later was put off before the wall clock was set
/// back.
constexpr std::chrono::minutes believed_wait{10};

std::vector<std::string> texts_of(const std::set<upload_id>& uploads) {
    std::vector<std::string> ids;
    ids.reserve(uploads.size());
    for (const upload_id& each : uploads) {
        ids.push_back(each.text());
    }
    return ids;
}

} // namespace

void request_work(pg::transaction& tx, upload_id id, timestamp now) {
    tx.exec("INSERT INTO upload_work (upload_id, due_at) VALUES ($1, $2) "
            "ON CONFLICT (upload_id) DO UPDATE SET hints = upload_work.hints + 1, "
            "due_at = least(upload_work.due_at, excluded.due_at)",
            {id, now});
}

bool request_work_for_object(pg::transaction& tx, upload_id id, const std::string& object_key,
                             timestamp now) {
    const auto known =
        tx.exec("SELECT 1 FROM upload WHERE id = $1 AND object_key = $2", {id, object_key});
    if (known.empty()) {
        return false;
    }
    request_work(tx, id, now);
    return true;
}

std::optional<open_work> find_work(pg::transaction& tx, upload_id id) {
    const auto rows = tx.exec("SELECT last_error FROM upload_work WHERE upload_id = $1", {id});
    if (rows.empty()) {
        return std::nullopt;
    }
    return open_work{rows.front().optional_text(0).value_or("")};
}

std::vector<work_claim> claim_work(pg::transaction& tx, const uuid& holder, std::size_t at_most,
                                   timestamp now, std::chrono::seconds lease,
                                   const std::set<upload_id>& in_hand) {
    std::vector<work_claim> out;
    for (const auto row :
         tx.exec("UPDATE upload_work SET claimed_by = $1, claimed_until = $2, fence = fence + 1, "
                 "tries = tries + 1 WHERE upload_id IN (SELECT upload_id FROM upload_work "
                 "WHERE (due_at <= $3 OR due_at > $5) AND (claimed_until IS NULL OR "
                 "claimed_until < $3 OR claimed_until > $5) AND upload_id <> ALL ($6::uuid[]) "
                 "ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED) "
                 "RETURNING upload_id, hints, tries, failures, fence",
                 {holder, now + lease, now, at_most, now + lease + believed_wait,
                  pg::parameter::array(texts_of(in_hand))})) {
        out.push_back({row.id_at<upload_id>(0), static_cast<int>(row.integer(1)),
                       static_cast<int>(row.integer(2)), static_cast<int>(row.integer(3)),
                       row.integer(4)});
    }
    return out;
}

void renew_claims(pg::transaction& tx, const uuid& holder, const std::set<upload_id>& uploads,
                  timestamp until) {
    tx.exec("UPDATE upload_work SET claimed_until = $2 "
            "WHERE claimed_by = $1 AND upload_id = ANY ($3::uuid[])",
            {holder, until, pg::parameter::array(texts_of(uploads))});
}

void finish_work(pg::transaction& tx, const work_claim& claim, timestamp now) {
    const auto gone =
        tx.exec("DELETE FROM upload_work WHERE upload_id = $1 AND fence = $2 AND hints = $3",
                {claim.upload, claim.fence, claim.hints});
    if (gone.affected() == 0) {
        tx.exec("UPDATE upload_work SET claimed_by = NULL, claimed_until = NULL, due_at = $3, "
                "tries = 0, failures = 0 WHERE upload_id = $1 AND fence = $2",
                {claim.upload, claim.fence, now});
    }
}

void postpone_work(pg::transaction& tx, const work_claim& claim, const std::string& reason,
                   bool counts, timestamp due_at) {
    tx.exec("UPDATE upload_work SET claimed_by = NULL, claimed_until = NULL, due_at = $3, "
            "last_error = $4, tries = tries - $5::integer, failures = failures + 1 WHERE upload_id "
            "= $1 AND fence = $2",
            {claim.upload, claim.fence, due_at, reason, counts ? 0 : 1});
}

void release_claims(pg::transaction& tx, const uuid& holder, timestamp now) {
    tx.exec("UPDATE upload_work SET claimed_by = NULL, claimed_until = NULL, tries = tries - 1, "
            "due_at = $2 WHERE claimed_by = $1",
            {holder, now});
}

std::optional<timestamp> next_work_at(pg::transaction& tx) {
    const auto rows =
        tx.exec("SELECT min(greatest(due_at, coalesce(claimed_until, due_at))) FROM upload_work");
    return rows.front().optional_time(0);
}

} // namespace relais::upload::store
