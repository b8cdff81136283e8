#include "web-api/store/profiles.hpp"

#include "http/json_writer.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"

namespace relais::web_api {
namespace {

std::string render(const store::profile& profile, const std::string& media_public_url) {
    http::json_writer json;
    json.begin_object()
        .member("id", profile.account)
        .member("display_name", profile.display_name)
        .member("member_since", profile.created_at);
    if (!profile.avatar) {
        json.null_member("avatar");
    } else {
        json.begin_object("avatar")
            .member("asset_id", profile.avatar->asset)
            .begin_array("variants");
        for (const auto& variant : profile.avatar->variants) {
            json.begin_object()
                .member("width", variant.width)
                .member("height", variant.height)
                .member("content_type", variant.content_type)
                .member("url", media_public_url + "/" + variant.key)
                .end_object();
        }
        json.end_array().end_object();
    }
    json.end_object();
    return json.take();
}

} // namespace

answer get_profile(dependencies& with, const http::request& request) {
    const auto id = path_id<account_id>(request);
    if (!id) {
        co_return fail(id);
    }
    memcache::lookup cached;
    if (with.profiles != nullptr) {
        cached = co_await with.profiles->find(*id);
    }
    if (cached.value) {
        co_return http::response::json(200, std::move(*cached.value));
    }
    auto find = [id = *id](pg::transaction& tx) -> result<store::profile> {
        auto found = store::find_profile(tx, id);
        if (!found) {
            return fail(error_kind::not_found, "not-found", "there is no such profile");
        }
        return std::move(*found);
    };
    const auto found = co_await with.database.read("get_profile", find, request.deadline);
    if (!found) {
        co_return fail(found);
    }
    auto body = render(*found, with.media_public_url);
    if (cached.lease) {
        with.profiles->keep(*id, body, *cached.lease);
    }
    co_return http::response::json(200, std::move(body));
}

} // namespace relais::web_api
