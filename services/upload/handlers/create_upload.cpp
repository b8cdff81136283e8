#include "http/json_reader.hpp"
#include "timers/timers.hpp"
#include "upload/domain/object_key.hpp"
#include "upload/handlers/grant.hpp"
#include "upload/handlers/handlers.hpp"
#include "upload/handlers/idempotency.hpp"
#include "upload/pipeline/expiry.hpp"
#include "upload/store/publish.hpp"
#include "upload/store/uploads.hpp"

#include <fmt/format.h>

namespace relais::upload {
namespace {

constexpr std::int64_t size_bytes_max = std::int64_t{5} * 1024 * 1024 * 1024; // of any purpose
constexpr http::text_limits short_text{1, 100};

std::vector<std::string> purpose_names() {
    std::vector<std::string> out;
    for (const purpose& each : all_purposes()) {
        out.push_back(each.name);
    }
    return out;
}

struct wanted_upload {
    const upload::purpose* purpose = nullptr;
    announced_file file;
};

std::expected<wanted_upload, std::vector<error>> parse(const http::request& request) {
    const http::json_reader body(request.body);
    const auto purpose_name = body.choice("purpose", purpose_names());
    wanted_upload out;
    out.file.content_type = body.text("content_type", short_text);
    out.file.size_bytes = static_cast<std::uint64_t>(body.integer("size_bytes", 1, size_bytes_max));
    out.file.sha256 = body.optional_text("sha256", short_text).value_or("");
    auto problems = body.finish();
    if (problems.empty()) {
        out.purpose = find_purpose(purpose_name);
        problems = check_announcement(*out.purpose, out.file);
    }
    if (!problems.empty()) {
        return std::unexpected(std::move(problems));
    }
    return out;
}

upload_record make_record(const wanted_upload& wanted, account_id owner, timestamp now,
                          std::chrono::seconds lifetime) {
    upload_record out;
    out.id = upload_id::make();
    out.owner = owner;
    out.purpose = wanted.purpose;
    out.file = wanted.file;
    out.object_key = staging_key(out.id, now);
    out.granted_at = now;
    out.expires_at = now + lifetime;
    return out;
}

http::response created(const upload_record& value, const dependencies& with) {
    http::json_writer json;
    json.begin_object()
        .member("id", value.id)
        .member("state", to_string(value.state))
        .member("expires_at", value.expires_at);
    write_grant(json, value, with);
    json.end_object();
    auto out = http::response::json(201, json.take());
    out.headers.set("Location", "/v1/uploads/" + value.id.text());
    return out;
}

result<http::response> grant(pg::transaction& tx, const upload_record& value,
                             const events::cause& why, const dependencies& with) {
    if (store::hold_open_uploads(tx, value.owner) >= with.open_uploads_max) {
        return fail(error_kind::rate_limited, "too-many-open-uploads",
                    fmt::format("at most {} unfinished uploads", with.open_uploads_max));
    }
    store::insert(tx, value, why);
    timers::schedule(tx, expiry_timer(value));
    store::publish_granted(tx, value, why, value.granted_at);
    return created(value, with);
}

} // namespace

answer create_upload(dependencies& with, const http::request& request) {
    const auto wanted = parse(request);
    if (!wanted) {
        co_return http::problem(wanted.error(), &request);
    }
    const auto key = idempotency_key_of(request);
    if (!key) {
        co_return fail(key);
    }
    const auto value =
        make_record(*wanted, request.caller->account, with.time.now(), with.grant_lifetime);
    const auto work = [&](pg::transaction& tx) {
        return once(tx, *key, value.granted_at,
                    [&] { return grant(tx, value, request.cause(), with); });
    };
    auto granting = with.database.transact("grant_upload", work, request.deadline);
    co_return co_await std::move(granting);
}

} // namespace relais::upload
