#pragma once

#include "gateway/compression/coding.hpp"
#include "objectstore/signer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::gateway {

/// A part of a bucket that a route serves.
struct bucket_rules {
    std::string prefix;          ///< of the route: what follows it is the rest of an object's name
    std::string path;            ///< "bucket/name", without slashes at the ends
    std::string index;           ///< served for a path that ends in a slash
    std::string cache_control;   ///< empty: the store's
    std::vector<coding> codings; ///< compressed forms that may stand beside objects, the best first
    std::string host;            ///< of the store, as requests name it
    std::optional<objectstore::credentials> signs; ///< nothing: the bucket is public
};

} // namespace relais::gateway
