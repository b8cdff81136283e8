#include "upload/handlers/grant.hpp"

#include <fmt/format.h>

namespace relais::upload {
namespace {

void write_members(http::json_writer& json, std::string_view name,
                   const objectstore::name_values& values) {
    json.begin_object(name);
    for (const auto& [key, value] : values) {
        json.member(key, value);
    }
    json.end_object();
}

std::string origin_of(const dependencies& with) {
    return with.public_endpoint_url.substr(0, with.public_endpoint_url.size() -
                                                  with.public_endpoint.path.size());
}

void write_put(http::json_writer& json, const upload_record& value, const dependencies& with) {
    const objectstore::signing_request what{
        "PUT",
        with.public_endpoint.host,
        fmt::format("{}/{}/{}", with.public_endpoint.path, with.staging_bucket, value.object_key),
        {},
        {{"content-length", std::to_string(value.file.size_bytes)},
         {"content-type", value.file.content_type},
         {"if-none-match", "*"}}};
    const auto signed_path =
        objectstore::presign(what, with.credentials, value.granted_at, with.grant_lifetime);
    json.begin_object("put")
        .member("method", what.method)
        .member("url", origin_of(with) + signed_path);
    write_members(json, "headers", what.headers);
    json.end_object();
}

void write_post(http::json_writer& json, const upload_record& value, const dependencies& with) {
    objectstore::post_policy policy;
    policy.bucket = with.staging_bucket;
    policy.key = value.object_key;
    policy.content_type = value.file.content_type;
    policy.size_min = value.file.size_bytes;
    policy.size_max = value.file.size_bytes;
    policy.exact = {{"success_action_status", "201"}};
    policy.expires_at = value.expires_at;
    json.begin_object("post").member(
        "url", fmt::format("{}/{}", with.public_endpoint_url, with.staging_bucket));
    write_members(json, "fields",
                  objectstore::sign_post(policy, with.credentials, value.granted_at));
    json.end_object();
}

} // namespace

void write_grant(http::json_writer& json, const upload_record& value, const dependencies& with) {
    write_put(json, value, with);
    write_post(json, value, with);
}

} // namespace relais::upload
