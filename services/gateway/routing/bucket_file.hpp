#pragma once

#include "config/reader.hpp"
#include "gateway/files/bucket_rules.hpp"
#include "gateway/routing/route_table.hpp"

#include <map>
#include <memory>
#include <string>

namespace relais::edge::v1 {
class Bucket;
class Route;
class RouteTable;
} // namespace relais::edge::v1

namespace relais::gateway {

/// The buckets of the routes file (proto/relais/edge/v1/content.proto), by name.
class bucket_file {
public:
    /// Keys come from the variables that the file names. What is wrong goes to the list of
    /// problems.
    bucket_file(const edge::v1::RouteTable& given, config::reader& from);

    /// What a route names of them; its upstream is known.
    void read_route(const edge::v1::Route& given, const route_table& table, route& to);

private:
    void read(const edge::v1::Bucket& given);

    config::reader& from_;
    std::map<std::string, bucket_rules> buckets_;
};

} // namespace relais::gateway
