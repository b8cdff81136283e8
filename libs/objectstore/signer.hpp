#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relais::objectstore {

struct credentials {
    std::string access_key;
    config::secret secret_key;
    std::string region;
    std::string service = "s3"; ///< another one only to check the vectors of the signature suite
};

using name_values = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// What is signed: host with a non-default port, path decoded ("/bucket/a b.jpg"), query decoded.
struct signing_request {
    std::string method;
    std::string host;
    std::string path;
    name_values query;
    name_values headers; ///< to be signed besides host; names in any case
};

/// AWS Signature Version 4 for S3 (no path normalisation, encoded once).
/// Header form: returns the Authorization value; headers must contain x-amz-date and
/// x-amz-content-sha256 (added by the caller with amz_date()).
std::string authorization(const signing_request& what, const credentials& with, timestamp now,
                          std::string_view payload_hash);

/// Query form: the path and query to use, X-Amz-Signature last. Whoever uses it must send the
/// signed headers exactly as given here. `lifetime`: 1 s to 7 days.
std::string presign(const signing_request& what, const credentials& with, timestamp now,
                    std::chrono::seconds lifetime,
                    std::string_view payload_hash = unsigned_payload);

/// `20260101T000000Z`
std::string amz_date(timestamp time);

/// The path as S3 wants it in a URL: every segment percent-encoded once, slashes kept.
std::string encode_path(std::string_view path);

struct post_policy {
    std::string bucket;
    std::string key;
    std::string content_type;
    std::uint64_t size_min = 1;
    std::uint64_t size_max = 0;
    name_values exact; ///< further fields with exact values, in order
    timestamp expires_at;
};

/// The policy document that sign_post() encodes: compact JSON.
std::string policy_document(const post_policy& policy, const credentials& with, timestamp now);

/// The value of x-amz-signature for a policy in base64, as it stands in the form.
std::string sign_policy(std::string_view policy_base64, const credentials& with, timestamp now);

/// The form fields for a browser's POST (policy and signature included); `file` comes last.
name_values sign_post(const post_policy& policy, const credentials& with, timestamp now);

} // namespace relais::objectstore
