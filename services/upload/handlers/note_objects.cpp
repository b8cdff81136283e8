#include "ids/encoding.hpp"
#include "upload/domain/object_key.hpp"
#include "upload/handlers/handlers.hpp"
#include "upload/handlers/object_event.hpp"
#include "upload/store/work.hpp"

namespace relais::upload {
namespace {

bool has_token(const dependencies& with, const http::request& request) {
    const auto given = request.query_parameter("token");
    return given && *given &&
           equal_in_constant_time(as_bytes(**given), as_bytes(with.event_token.reveal()));
}

void count(const dependencies& with, std::string_view outcome, std::size_t events) {
    with.metrics
        .counter("upload_object_events_total", "Objects that the store told us of",
                 {{"outcome", std::string(outcome)}})
        .increment(static_cast<double>(events));
}

/// How many of them are uploads of ours.
std::size_t request_looks(pg::transaction& tx, const std::vector<object_event>& events,
                          std::string_view bucket, timestamp now) {
    std::size_t known = 0;
    for (const object_event& each : events) {
        const auto id = upload_of_staging_key(each.key);
        if (id && each.bucket == bucket && store::request_work_for_object(tx, *id, each.key, now)) {
            ++known;
        }
    }
    return known;
}

} // namespace

answer note_objects(dependencies& with, const http::request& request) {
    if (!has_token(with, request)) {
        co_return fail(error_kind::unauthenticated, "invalid-token", "the URL has another token");
    }
    const auto events = parse_object_events(request.body);
    if (!events) {
        // Not refused: a store sends its messages in order and again until they are accepted, so
        // one that we cannot read would hold up all behind it.
        count(with, "malformed", 1);
        co_return http::response::empty(204);
    }
    const auto body = [&](pg::transaction& tx) -> result<std::size_t> {
        const auto known = request_looks(tx, *events, with.staging_bucket, with.time.now());
        if (known > 0) {
            tx.after_commit(with.wake_pipeline);
        }
        return known;
    };
    auto noting = with.database.transact("note_objects", body, request.deadline);
    const auto known = co_await std::move(noting);
    if (!known) {
        co_return fail(known);
    }
    count(with, "known", *known);
    count(with, "unknown", events->size() - *known);
    co_return http::response::empty(204);
}

} // namespace relais::upload
