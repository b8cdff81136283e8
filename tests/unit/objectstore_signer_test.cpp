#include "ids/encoding.hpp"
#include "objectstore/signer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::objectstore;

namespace {

constexpr auto empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

timestamp utc(int year, unsigned month, unsigned day) {
    return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                 static_cast<int>(day));
}

credentials example(std::string region) {
    return {"AKIAIOSFODNN7EXAMPLE", config::secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            std::move(region)};
}

std::string signature_in(const std::string& text) {
    const auto at = text.find("Signature=");
    REQUIRE(at != std::string::npos);
    return text.substr(at + 10);
}

/// The bucket and date of the examples in "Authenticating Requests" of the S3 documentation.
std::string example_signature(std::string method, std::string path, name_values query,
                              name_values headers, std::string_view payload_hash) {
    headers.emplace_back("x-amz-content-sha256", payload_hash);
    headers.emplace_back("x-amz-date", "20130524T000000Z");
    const signing_request what{std::move(method), "examplebucket.s3.amazonaws.com", std::move(path),
                               std::move(query), std::move(headers)};
    return signature_in(authorization(what, example("us-east-1"), utc(2013, 5, 24), payload_hash));
}

std::string base64(std::string_view text) {
    std::string out = to_base64url(as_bytes(text));
    for (char& c : out) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    out.resize((out.size() + 3) / 4 * 4, '=');
    return out;
}

/// "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)", with its CRLFs.
constexpr std::string_view published_policy =
    "{ \"expiration\": \"2015-12-30T12:00:00.000Z\",\r\n"
    "  \"conditions\": [\r\n"
    "    {\"bucket\": \"sigv4examplebucket\"},\r\n"
    "    [\"starts-with\", \"$key\", \"user/user1/\"],\r\n"
    "    {\"acl\": \"public-read\"},\r\n"
    "    {\"success_action_redirect\": "
    "\"http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html\"},\r\n"
    "    [\"starts-with\", \"$Content-Type\", \"image/\"],\r\n"
    "    {\"x-amz-meta-uuid\": \"14365123651274\"},\r\n"
    "    {\"x-amz-server-side-encryption\": \"AES256\"},\r\n"
    "    [\"starts-with\", \"$x-amz-meta-tag\", \"\"],\r\n"
    "\r\n"
    "    {\"x-amz-credential\": \"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\"},\r\n"
    "    {\"x-amz-algorithm\": \"AWS4-HMAC-SHA256\"},\r\n"
    "    {\"x-amz-date\": \"20151229T000000Z\" }\r\n"
    "  ]\r\n"
    "}";

} // namespace

TEST_CASE("SigV4: header form, published examples", "[objectstore][signer]") {
    CHECK(example_signature("GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, empty_hash) ==
          "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    CHECK(example_signature("PUT", "/test$file.text", {},
                            {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                             {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072") ==
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    CHECK(example_signature("GET", "/", {{"lifecycle", ""}}, {}, empty_hash) ==
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    CHECK(example_signature("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, empty_hash) ==
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("SigV4: the Authorization value names scope and signed headers",
          "[objectstore][signer]") {
    const signing_request what{"GET", "h", "/", {}, {{"X-Amz-Date", "20130524T000000Z"}}};
    CHECK(authorization(what, example("us-east-1"), utc(2013, 5, 24), empty_hash)
              .starts_with("AWS4-HMAC-SHA256 "
                           "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                           "SignedHeaders=host;x-amz-date, Signature="));
}

TEST_CASE("SigV4: presigned, published example", "[objectstore][signer]") {
    const signing_request what{"GET", "examplebucket.s3.amazonaws.com", "/test.txt", {}, {}};
    const auto url =
        presign(what, example("us-east-1"), utc(2013, 5, 24), std::chrono::seconds(86400));
    CHECK(url.starts_with("/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
                          "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
                          "X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
                          "X-Amz-SignedHeaders=host&X-Amz-Signature="));
    CHECK(signature_in(url) == "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_CASE("SigV4: presigned PUT with signed headers and an awkward key", "[objectstore][signer]") {
    const signing_request what{
        "PUT",
        "s3.eu-central-1.amazonaws.com",
        "/media-private/u/42/a b+\xc3\xbc(1).jpg",
        {{"partNumber", "1"}, {"uploadId", "abc/+="}},
        {{"Content-Type", "image/jpeg"},
         {"content-length", "5"},
         {"x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="}}};
    const auto url =
        presign(what, example("eu-central-1"), utc(2026, 1, 1), std::chrono::seconds(900));
    CHECK(url.starts_with("/media-private/u/42/a%20b%2B%C3%BC%281%29.jpg?"));
    CHECK(url.find("uploadId=abc%2F%2B%3D") != std::string::npos);
    CHECK(url.find("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3B"
                   "x-amz-checksum-sha256") != std::string::npos);
    CHECK(signature_in(url) == "c3de5c0ea0d46416d8de6d6d5019411311ccc65f110ce4bc2027e0f7b142850d");
}

TEST_CASE("SigV4: get-vanilla of the signature suite", "[objectstore][signer]") {
    const credentials with{"AKIDEXAMPLE",
                           config::secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "us-east-1",
                           "service"};
    const timestamp then = utc(2015, 8, 30) + std::chrono::hours(12) + std::chrono::minutes(36);
    signing_request what{"GET", "example.amazonaws.com", "/", {}, {}};
    CHECK(signature_in(presign(what, with, then, std::chrono::hours(1), empty_hash)) ==
          "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d");
    what.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
    CHECK(signature_in(authorization(what, with, then, empty_hash)) ==
          "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST_CASE("SigV4: header values are folded and trimmed", "[objectstore][signer]") {
    const auto sign = [](std::string value) {
        const signing_request what{"GET", "h", "/", {}, {{"x", std::move(value)}}};
        return authorization(what, example("us-east-1"), utc(2026, 1, 1), empty_hash);
    };
    CHECK(sign("  a   b\t c ") == sign("a b c"));
    CHECK(sign("a b") != sign("ab"));
}

TEST_CASE("POST policy: published example", "[objectstore][signer]") {
    const std::string encoded = base64(published_policy);
    CHECK(encoded.size() == 864);
    CHECK(to_hex(sha256(as_bytes(published_policy))).starts_with("bdbc8731"));
    CHECK(sign_policy(encoded, example("us-east-1"), utc(2015, 12, 29)) ==
          "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
}

TEST_CASE("POST policy: document and signature", "[objectstore][signer]") {
    post_policy policy;
    policy.bucket = "media-private";
    policy.key = "u/42/01J.jpg";
    policy.content_type = "image/jpeg";
    policy.size_min = 1;
    policy.size_max = 10'485'760;
    policy.exact = {{"x-amz-meta-upload-id", "01J"}, {"success_action_status", "201"}};
    policy.expires_at = utc(2026, 1, 1) + std::chrono::minutes(10);
    const auto with = example("eu-central-1");
    CHECK(policy_document(policy, with, utc(2026, 1, 1)) ==
          R"({"expiration":"2026-01-01T00:10:00.000Z","conditions":[{"bucket":"media-private"},)"
          R"({"key":"u/42/01J.jpg"},{"content-type":"image/jpeg"},)"
          R"(["content-length-range",1,10485760],{"x-amz-meta-upload-id":"01J"},)"
          R"({"success_action_status":"201"},{"x-amz-algorithm":"AWS4-HMAC-SHA256"},)"
          R"({"x-amz-credential":"AKIAIOSFODNN7EXAMPLE/20260101/eu-central-1/s3/aws4_request"},)"
          R"({"x-amz-date":"20260101T000000Z"}]})");
    const auto fields = sign_post(policy, with, utc(2026, 1, 1));
    CHECK(fields.front().first == "key");
    CHECK(fields.back() == std::pair<std::string, std::string>(
                               "x-amz-signature",
                               "46a27814bb6a95f010e5c3d2f35647c5554bf28b9776071f0f6d1a8bebc08a9b"));
}
