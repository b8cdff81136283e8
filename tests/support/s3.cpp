#include "support/s3.hpp"

#include "ids/encoding.hpp"
#include "support/await_on.hpp"
#include "support/environment.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace relais::test {
namespace {

/// `target` with a query of names without values: "/bucket?notification".
http::response signed_send(const std::string& method, const std::string& path,
                           const std::string& query_name, const std::string& body) {
    const auto settings = s3_settings();
    const auto endpoint = objectstore::split_endpoint(settings.endpoint_url);
    const timestamp now = system_clock().now();
    const auto hash = to_hex(sha256(as_bytes(body)));
    objectstore::signing_request what{method, endpoint.host, path, {}, {}};
    what.headers = {{"x-amz-date", objectstore::amz_date(now)}, {"x-amz-content-sha256", hash}};
    http::client::call call;
    call.method = method;
    call.target = path;
    if (!query_name.empty()) {
        what.query.emplace_back(query_name, "");
        call.target += "?" + query_name + "=";
    }
    call.body = body;
    call.headers.set("Host", endpoint.host);
    call.headers.set("Authorization",
                     objectstore::authorization(what, settings.credentials, now, hash));
    call.headers.set("Content-Type",
                     path == "/" ? "application/x-www-form-urlencoded" : "application/xml");
    for (const auto& [header, value] : what.headers) {
        call.headers.set(header, value);
    }
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    http::client client({settings.endpoint_url, "s3"}, loop, metrics);
    auto answer = await_on(loop, client.send(call));
    if (!answer) {
        throw std::runtime_error("object store: " + answer.error().slug);
    }
    return std::move(*answer);
}

std::string form_encoded(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += std::isalnum(static_cast<unsigned char>(c)) != 0
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

} // namespace

objectstore::store_settings s3_settings() {
    return {variable("RELAIS_TEST_S3"),
            {variable("RELAIS_TEST_S3_ACCESS_KEY"),
             config::secret(variable("RELAIS_TEST_S3_SECRET_KEY")), "default"}};
}

std::string s3_bucket(const std::string& name) {
    const auto answer = signed_send("PUT", "/" + name, "", "");
    if (answer.status != 200 && answer.status != 409) {
        throw std::runtime_error("cannot make the bucket " + name + ": " + answer.body);
    }
    return name;
}

s3_events::s3_events(std::string bucket, const std::string& url) : bucket_(std::move(bucket)) {
    // A topic of its own: messages that an earlier run left in one would be sent first, to nobody.
    const auto topic = signed_send(
        "POST", "/", "",
        fmt::format("Action=CreateTopic&Name={}-{}&Attributes.entry.1.key=push-endpoint&"
                    "Attributes.entry.1.value={}&Attributes.entry.2.key=persistent&"
                    "Attributes.entry.2.value=true",
                    bucket_, make_uuid_v7().text(), form_encoded(url)));
    const auto start = topic.body.find("<TopicArn>");
    const auto end = topic.body.find("</TopicArn>");
    if (topic.status != 200 || start == std::string::npos || end == std::string::npos) {
        throw std::runtime_error("cannot make the topic: " + topic.body);
    }
    arn_ = topic.body.substr(start + 10, end - start - 10);
    const auto told = signed_send(
        "PUT", "/" + bucket_, "notification",
        fmt::format("<NotificationConfiguration><TopicConfiguration><Id>test</Id><Topic>{}</Topic>"
                    "<Event>s3:ObjectCreated:*</Event></TopicConfiguration>"
                    "</NotificationConfiguration>",
                    arn_));
    if (told.status != 200) {
        throw std::runtime_error("cannot set the notification: " + told.body);
    }
}

s3_events::~s3_events() {
    signed_send("DELETE", "/" + bucket_, "notification", "");
    signed_send("POST", "/", "", "Action=DeleteTopic&TopicArn=" + form_encoded(arn_));
}

} // namespace relais::test
