#pragma once

#include "objectstore/store.hpp"

#include <string>

namespace relais::test {

/// The store of RELAIS_TEST_S3.
objectstore::store_settings s3_settings();

/// Makes the bucket unless it is there (buckets stay; keys are unique). Returns its name.
std::string s3_bucket(const std::string& name);

/// Has the store tell this URL, persistently, about objects made in the bucket.
void s3_tell(const std::string& bucket, const std::string& url);

} // namespace relais::test
