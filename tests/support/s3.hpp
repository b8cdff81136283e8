#pragma once

#include "objectstore/store.hpp"

#include <string>

namespace relais::test {

/// The store of RELAIS_TEST_S3.
objectstore::store_settings s3_settings();

/// Makes the bucket unless it is there (buckets stay; keys are unique). Returns its name.
std::string s3_bucket(const std::string& name);

/// Has the store tell a URL, persistently, about objects made in the bucket, as long as this lives.
/// Ceph looks for new topics every 30 seconds, so the first message may take that long.
class s3_events {
public:
    s3_events(std::string bucket, const std::string& url);
    ~s3_events();
    s3_events(const s3_events&) = delete;
    s3_events& operator=(const s3_events&) = delete;

private:
    std::string bucket_;
    std::string arn_;
};

} // namespace relais::test
