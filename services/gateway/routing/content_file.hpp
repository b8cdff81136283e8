#pragma once

#include "config/reader.hpp"
#include "gateway/answers/answer_rules.hpp"
#include "gateway/cache/cached_answer.hpp"
#include "gateway/files/static_rules.hpp"
#include "gateway/routing/route_table.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace relais::edge::v1 {
class CachePolicy;
class Compression;
class Cors;
class ResponseHeaders;
class Route;
class RouteTable;
class StaticRoot;
} // namespace relais::edge::v1

namespace relais::gateway {

/// The parts of the routes file that say what happens to answers
/// (proto/relais/edge/v1/content.proto), by name. What is wrong goes to the configuration's list of
/// problems.
class content_file {
public:
    content_file(const edge::v1::RouteTable& given, config::reader& from);

    /// What a route names of them.
    void read_route(const edge::v1::Route& given, route& to);

private:
    std::shared_ptr<const answer_rules> rules_of(const edge::v1::Route& given,
                                                 const std::vector<std::string>& methods);
    std::shared_ptr<const static_rules> files_of(const edge::v1::Route& given);
    std::shared_ptr<const cache_policy> cache_of(const edge::v1::Route& given);
    void read(const edge::v1::ResponseHeaders& given);
    void read(const edge::v1::Cors& given);
    void read(const edge::v1::Compression& given);
    void read(const edge::v1::StaticRoot& given);
    void read(const edge::v1::CachePolicy& given);
    void problem(std::string_view kind, const std::string& name, const std::string& what);
    template <class Parts>
    const typename Parts::mapped_type* find(const Parts& among, std::string_view kind,
                                            const std::string& name, const edge::v1::Route& whose);

    config::reader& from_;
    std::map<std::string, field_rules> fields_;
    std::map<std::string, cors_rules::settings> cors_;
    std::map<std::string, compression_rules> compression_;
    std::map<std::string, static_rules> files_;
    std::map<std::string, cache_policy> caches_;
};

/// Of a route that serves files and names none.
std::vector<std::string> file_methods();

} // namespace relais::gateway
