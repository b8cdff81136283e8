#include "support/s3.hpp"

#include "ids/encoding.hpp"
#include "support/await_on.hpp"
#include "support/environment.hpp"

#include <stdexcept>

namespace relais::test {

objectstore::store_settings s3_settings() {
    return {variable("RELAIS_TEST_S3"),
            {variable("RELAIS_TEST_S3_ACCESS_KEY"),
             config::secret(variable("RELAIS_TEST_S3_SECRET_KEY")), "default"}};
}

std::string s3_bucket(const std::string& name) {
    const auto settings = s3_settings();
    const auto endpoint = objectstore::split_endpoint(settings.endpoint_url);
    const timestamp now = system_clock().now();
    const auto hash = to_hex(sha256(as_bytes("")));
    objectstore::signing_request what{"PUT", endpoint.host, "/" + name, {}, {}};
    what.headers = {{"x-amz-date", objectstore::amz_date(now)}, {"x-amz-content-sha256", hash}};
    http::client::call call;
    call.method = what.method;
    call.target = what.path;
    call.headers.set("Host", endpoint.host);
    call.headers.set("Authorization",
                     objectstore::authorization(what, settings.credentials, now, hash));
    for (const auto& [header, value] : what.headers) {
        call.headers.set(header, value);
    }
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    http::client client({settings.endpoint_url, "s3"}, loop, metrics);
    const auto answer = await_on(loop, client.send(call));
    if (!answer || (answer->status != 200 && answer->status != 409)) {
        throw std::runtime_error("cannot make the bucket " + name);
    }
    return name;
}

} // namespace relais::test
