#include "upload/handlers/object_event.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais::upload;

namespace {

std::string records(const std::string& each) {
    return R"({"Records":[)" + each + "]}";
}

std::string keys_of(const std::string& json) {
    const auto events = parse_object_events(json);
    if (!events) {
        return "error " + events.error().slug;
    }
    std::string out;
    for (const auto& each : *events) {
        out += each.bucket + ":" + each.key + " ";
    }
    return out;
}

} // namespace

TEST_CASE("object events: dialects", "[upload][object-events]") {
    struct row {
        std::string producer;
        std::string json;
        std::string keys;
    };

    const std::vector<row> table{
        {"AWS: form-encoded key",
         records(R"({"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-central-1",
            "eventTime":"2026-11-23T06:46:44.123Z","eventName":"ObjectCreated:Put",
            "userIdentity":{"principalId":"x"},"requestParameters":{"sourceIPAddress":"::1"},
            "responseElements":{"x-amz-request-id":"1","x-amz-id-2":"2"},
            "s3":{"s3SchemaVersion":"1.0","configurationId":"n1","bucket":{"name":"b",
            "ownerIdentity":{"principalId":"x"},"arn":"arn:aws:s3:::b"},
            "object":{"key":"staging/a+b%C3%BC","size":5,"eTag":"0","versionId":"",
            "sequencer":"0055AED6DCD90281E5"}}})"),
         "b:staging/a b\xc3\xbc "},
        {"AWS: the test message has no records",
         R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-23T06:46:44.123Z",
            "Bucket":"b","RequestId":"1","HostId":"2"})",
         ""},
        {"Ceph: raw key, more members",
         records(R"({"eventVersion":"2.2","eventSource":"ceph:s3","awsRegion":"",
            "eventTime":"2026-11-23T06:46:44.123Z","eventName":"ObjectCreated:Post",
            "userIdentity":{"principalId":"t"},"requestParameters":{"sourceIPAddress":""},
            "responseElements":{"x-amz-request-id":"1","x-amz-id-2":"2"},
            "s3":{"s3SchemaVersion":"1.0","configurationId":"n1","bucket":{"name":"b",
            "ownerIdentity":{"principalId":"t"},"arn":"arn:aws:s3:default::b","id":"x"},
            "object":{"key":"staging/a+b%20","size":5,"eTag":"0","versionId":"",
            "sequencer":"B50ACB6A61D7F926","metadata":[{"key":"x","val":"y"}],"tags":[]}},
            "eventId":"1.2","opaqueData":"me"})"),
         "b:staging/a+b%20 "},
        {"MinIO: wrapper and s3: prefix",
         R"({"EventName":"s3:ObjectCreated:Put","Key":"b/staging%2Fx","Records":[
            {"eventSource":"minio:s3","eventName":"s3:ObjectCreated:Put","s3":{"bucket":
            {"name":"b"},"object":{"key":"staging%2Fx","userMetadata":{"a":"b"}}}}]})",
         "b:staging/x "},
        {"versitygw: no key after a form upload",
         records(R"({"eventSource":"aws:s3","eventName":"s3:ObjectCreated:Post",
            "s3":{"bucket":{"name":"b"},"object":{"key":""}}})"),
         ""},
        {"removals are not for us",
         records(R"({"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete",
            "s3":{"bucket":{"name":"b"},"object":{"key":"k"}}},
            {"eventName":"s3:ObjectCreated:CompleteMultipartUpload",
            "s3":{"bucket":{"name":"b"},"object":{"key":"k2"}}})"),
         "b:k2 "},
        {"a percent sign without an escape", records(R"({"eventName":"ObjectCreated:Put",
            "s3":{"bucket":{"name":"b"},"object":{"key":"100%"}}})"),
         "b:100% "},
        {"not JSON", "<xml/>", "error malformed-json"},
        {"no records", "{}", "error missing-member"},
        {"a record without bucket",
         records(R"({"eventName":"ObjectCreated:Put","s3":{"object":{"key":"k"}}})"),
         "error missing-member"},
    };
    for (const auto& [producer, json, keys] : table) {
        CAPTURE(producer);
        CHECK(keys_of(json) == keys);
    }
}
