#include "http/json_writer.hpp"
#include "upload/handlers/handlers.hpp"
#include "upload/store/uploads.hpp"
#include "upload/store/work.hpp"

namespace relais::upload {
namespace {

/// The caller's upload of the path; anybody else's does not exist.
result<upload_record> find_own(pg::transaction& tx, const http::request& request) {
    const auto id = upload_id::parse(request.path_parameter("id"));
    if (!id) {
        return fail(error_kind::not_found, "no-such-upload", "there is no such upload");
    }
    auto found = store::find(tx, *id);
    if (found && found->owner != request.caller->account) {
        return fail(error_kind::not_found, "no-such-upload", "there is no such upload");
    }
    return found;
}

struct seen_upload {
    upload_record value;
    std::optional<open_work> work;
};

http::response shown(const seen_upload& seen, const dependencies& with) {
    const upload_record& value = seen.value;
    http::json_writer json;
    json.begin_object()
        .member("id", value.id)
        .member("purpose", value.purpose->name)
        .member("state", to_string(value.state))
        .member("expires_at", value.expires_at);
    if (const auto what = waits_for(value.state, seen.work); !what.empty()) {
        json.member("waiting_for", what);
    }
    if (!value.reason.empty()) {
        json.member("reason", value.reason);
    }
    if (value.state == upload_state::ready) {
        json.begin_array("variants");
        for (const variant& each : value.variants) {
            json.begin_object()
                .member("width", each.width)
                .member("height", each.height)
                .member("url", with.media_public_url + "/" + each.key)
                .end_object();
        }
        json.end_array();
    }
    json.end_object();
    return http::response::json(200, json.take());
}

http::response accepted(const upload_record& value) {
    http::json_writer json;
    json.begin_object().member("id", value.id).member("state", to_string(value.state)).end_object();
    return http::response::json(202, json.take());
}

} // namespace

answer show_upload(dependencies& with, const http::request& request) {
    const auto body = [&request](pg::transaction& tx) -> result<seen_upload> {
        auto found = find_own(tx, request);
        if (!found) {
            return fail(found);
        }
        auto work = store::find_work(tx, found->id);
        return seen_upload{std::move(*found), std::move(work)};
    };
    auto reading = with.database.read("show_upload", body, request.deadline);
    const auto found = co_await std::move(reading);
    if (!found) {
        co_return fail(found);
    }
    co_return shown(*found, with);
}

answer complete_upload(dependencies& with, const http::request& request) {
    const auto body = [&](pg::transaction& tx) -> result<upload_record> {
        auto found = find_own(tx, request);
        if (found && found->state == upload_state::granted) {
            store::request_work(tx, found->id, with.time.now());
            tx.after_commit(with.wake_pipeline);
        }
        return found;
    };
    auto completing = with.database.transact("complete_upload", body, request.deadline);
    const auto found = co_await std::move(completing);
    if (!found) {
        co_return fail(found);
    }
    if (found->state == upload_state::expired) {
        co_return fail(error_kind::conflict, "upload-expired", "ask for another grant");
    }
    co_return accepted(*found);
}

} // namespace relais::upload
