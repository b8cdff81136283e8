#include "gateway/routing/bucket_file.hpp"

#include "gateway/files/static_rules.hpp"
#include "http/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {
namespace {

constexpr std::string_view file_problem = "routes file";

/// As the Host of a request names it: without the scheme's own port.
std::string host_of(const upstream_target& target) {
    const bool usual = target.address.port == (target.secure ? 443 : 80);
    return usual ? target.address.host
                 : fmt::format("{}:{}", target.address.host, target.address.port);
}

} // namespace

bucket_file::bucket_file(const edge::v1::RouteTable& given, config::reader& from) : from_(from) {
    for (const auto& each : given.bucket()) {
        read(each);
    }
}

void bucket_file::read(const edge::v1::Bucket& given) {
    const auto problem = [&](std::string_view what) {
        from_.problem(file_problem, fmt::format("bucket \"{}\": {}", given.name(), what));
    };
    bucket_rules out;
    out.path = given.path();
    out.index = given.index().empty() ? "index.html" : given.index();
    out.cache_control = given.cache_control();
    if (out.path.empty() || path_below("/", "/" + out.path) != out.path) {
        problem("path is a bucket, or a bucket and a prefix, without slashes at the ends");
    }
    if (!http::is_token(out.index) || out.index.starts_with('.')) {
        problem("index is the name of an object");
    }
    if (!http::is_field_value(out.cache_control)) {
        problem("cache_control is no value of a field");
    }
    for (const auto& name : given.coding()) {
        const auto coded = coding_named(name);
        if (!coded || *coded == coding::identity) {
            problem(fmt::format("coding \"{}\" is none of br, zstd, gzip", name));
        } else {
            out.codings.push_back(*coded);
        }
    }
    if (given.access_key_variable().empty() != given.secret_key_variable().empty()) {
        problem("access_key_variable and secret_key_variable go together");
    } else if (!given.access_key_variable().empty()) {
        auto access = from_.text(given.access_key_variable(), std::nullopt,
                                 fmt::format("Access key id for bucket {}", given.path()));
        auto secret = from_.secret(given.secret_key_variable(), std::nullopt,
                                   fmt::format("Secret of the access key for {}", given.path()));
        out.signs = objectstore::credentials{std::move(access), std::move(secret),
                                             given.region().empty() ? "us-east-1" : given.region()};
    } else if (!given.region().empty()) {
        problem("region goes with keys");
    }
    if (!buckets_.emplace(given.name(), std::move(out)).second || given.name().empty()) {
        problem("the name is missing or stands twice");
    }
}

void bucket_file::read_route(const edge::v1::Route& given, const route_table& table, route& to) {
    const auto problem = [&](std::string_view what) {
        from_.problem(file_problem, fmt::format("route \"{}\": {}", given.prefix(), what));
    };
    if (given.bucket().empty()) {
        return;
    }
    const auto named = buckets_.find(given.bucket());
    if (named == buckets_.end()) {
        problem(fmt::format("no bucket \"{}\"", given.bucket()));
        return;
    }
    const bool writes = std::ranges::any_of(
        given.method(), [](const auto& method) { return method != "GET" && method != "HEAD"; });
    const bool other = given.credentials() != edge::v1::CREDENTIALS_UNSPECIFIED ||
                       given.body_max_bytes() > 0 || given.upgrade_size() > 0 ||
                       given.uploads_max() > 0 || given.failures_as_429() || given.long_work() ||
                       given.cookie_sessions() || given.has_rewrite() ||
                       !given.static_root().empty();
    if (writes || other) {
        problem("a bucket answers GET and HEAD of anybody: only prefix, upstream, deadline_ms, "
                "hedge_after_ms, limits and what is about answers may be said");
    }
    auto rules = std::make_shared<bucket_rules>(named->second);
    rules->prefix = given.prefix();
    if (to.upstream < table.upstreams.size() && !table.upstreams[to.upstream].targets.empty()) {
        rules->host = host_of(table.upstreams[to.upstream].targets[0]);
    }
    to.bucket = std::move(rules);
}

} // namespace relais::gateway
