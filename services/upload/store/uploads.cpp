#include "upload/store/uploads.hpp"

#include <cassert>

namespace relais::upload::store {
namespace {

bool move(pg::transaction& tx, upload_id id, upload_state from, upload_state to, timestamp now) {
    assert(may_follow(from, to));
    const auto moved = tx.exec("UPDATE upload SET state = $3, changed_at = $4 "
                               "WHERE id = $1 AND state = $2",
                               {id, to_string(from), to_string(to), now});
    return moved.affected() == 1;
}

std::vector<variant> variants_of(pg::transaction& tx, upload_id id) {
    std::vector<variant> out;
    for (const auto row : tx.exec("SELECT width, height, key, size_bytes FROM upload_variant "
                                  "WHERE upload_id = $1 ORDER BY place",
                                  {id})) {
        out.push_back({static_cast<std::uint32_t>(row.integer(0)),
                       static_cast<std::uint32_t>(row.integer(1)), row.text(2),
                       static_cast<std::uint64_t>(row.integer(3))});
    }
    return out;
}

upload_record record_at(const pg::row& row) {
    upload_record out;
    out.id = row.id_at<upload_id>(0);
    out.owner = row.id_at<account_id>(1);
    out.purpose = find_purpose(row.view(2));
    out.state = parse_upload_state(row.view(3)).value(); // the column's CHECK has the same words
    out.file.content_type = row.text(4);
    out.file.size_bytes = static_cast<std::uint64_t>(row.integer(5));
    out.file.sha256 = row.optional_text(6).value_or("");
    out.object_key = row.text(7);
    out.granted_at = row.time(8);
    out.expires_at = row.time(9);
    out.reason = row.optional_text(10).value_or("");
    if (!row.is_null(11)) {
        out.asset = row.id_at<asset_id>(11);
    }
    return out;
}

} // namespace

std::size_t hold_open_uploads(pg::transaction& tx, account_id owner) {
    tx.exec("SELECT pg_advisory_xact_lock(hashtextextended('upload-quota:' || $1::text, 0))",
            {owner});
    const auto counted = tx.exec("SELECT count(*) FROM upload WHERE owner_id = $1 "
                                 "AND state IN ('granted', 'uploaded', 'verifying')",
                                 {owner});
    return static_cast<std::size_t>(counted.front().integer(0));
}

void insert(pg::transaction& tx, const upload_record& value, const events::cause& why) {
    const auto sha256 =
        value.file.sha256.empty() ? pg::parameter(std::nullopt) : pg::parameter(value.file.sha256);
    tx.exec("INSERT INTO upload (id, owner_id, purpose, state, content_type, size_bytes, "
            "declared_sha256, object_key, granted_at, expires_at, changed_at, traceparent, "
            "correlation_id, causation_id) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11, $12, $13)",
            {value.id, value.owner, value.purpose->name, to_string(value.state),
             value.file.content_type, value.file.size_bytes, sha256, value.object_key,
             value.granted_at, value.expires_at, why.trace.traceparent(), why.correlation_id,
             why.causation_id});
}

result<upload_record> find(pg::transaction& tx, upload_id id) {
    const auto rows =
        tx.exec("SELECT id, owner_id, purpose, state, content_type, size_bytes, declared_sha256, "
                "object_key, granted_at, expires_at, reason, asset_id FROM upload WHERE id = $1",
                {id});
    if (rows.empty()) {
        return fail(error_kind::not_found, "no-such-upload", "there is no such upload");
    }
    auto out = record_at(rows.front());
    if (out.purpose == nullptr) {
        return fail(error_kind::internal, "unknown-purpose", "a purpose of another version");
    }
    if (out.state == upload_state::ready) {
        out.variants = variants_of(tx, id);
    }
    return out;
}

events::cause cause_of(pg::transaction& tx, upload_id id) {
    const auto rows =
        tx.exec("SELECT traceparent, correlation_id, causation_id FROM upload WHERE id = $1", {id});
    const auto row = rows.front();
    const auto trace = trace::context::parse(row.view(0));
    return {trace ? *trace : trace::context::start(), row.text(1), row.text(2)};
}

bool mark_uploaded(pg::transaction& tx, upload_id id, timestamp now) {
    return move(tx, id, upload_state::granted, upload_state::uploaded, now);
}

bool mark_verifying(pg::transaction& tx, upload_id id, timestamp now) {
    return move(tx, id, upload_state::uploaded, upload_state::verifying, now);
}

bool mark_expired(pg::transaction& tx, upload_id id, timestamp now) {
    return move(tx, id, upload_state::granted, upload_state::expired, now);
}

bool mark_rejected(pg::transaction& tx, upload_id id, const std::string& reason, timestamp now) {
    const auto moved = tx.exec("UPDATE upload SET state = 'rejected', reason = $2, changed_at = $3 "
                               "WHERE id = $1 AND state = 'verifying'",
                               {id, reason, now});
    return moved.affected() == 1;
}

bool mark_ready(pg::transaction& tx, upload_id id, asset_id asset, const std::string& sha256,
                const std::vector<variant>& variants, timestamp now) {
    const auto moved = tx.exec("UPDATE upload SET state = 'ready', asset_id = $2, sha256 = $3, "
                               "changed_at = $4 WHERE id = $1 AND state = 'verifying'",
                               {id, asset, sha256, now});
    if (moved.affected() != 1) {
        return false;
    }
    for (std::size_t place = 0; place < variants.size(); ++place) {
        const variant& each = variants[place];
        tx.exec("INSERT INTO upload_variant (upload_id, place, width, height, key, size_bytes) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                {id, place, each.width, each.height, each.key, each.size_bytes});
    }
    return true;
}

} // namespace relais::upload::store
