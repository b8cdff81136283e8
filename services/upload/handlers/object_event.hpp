#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace relais::upload {

/// An object that a store says was made.
struct object_event {
    std::string bucket;
    std::string key;

    friend bool operator==(const object_event&, const object_event&) = default;
};

/// Reads S3 event JSON as AWS, Ceph RGW, MinIO and versitygw write it: names with and without
/// "s3:", keys form-encoded or (Ceph) raw. Only ObjectCreated events come out; others, AWS' test
/// message and records without a key (versitygw after a form upload) are left out. Error: `invalid`
/// / "malformed-json" or the first problem found.
result<std::vector<object_event>> parse_object_events(std::string_view json);

} // namespace relais::upload
