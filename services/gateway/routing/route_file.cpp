#include "gateway/routing/bucket_file.hpp"
#include "gateway/routing/content_file.hpp"
#include "gateway/routing/limit_file.hpp"
#include "gateway/routing/listener_file.hpp"
#include "gateway/routing/upstream_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <relais/edge/v1/routes.pb.h>
#include <set>
#include <sstream>
#include <tuple>

namespace relais::gateway {
namespace {

constexpr std::string_view file_problem = "routes file";
constexpr std::uint32_t deadline_max_ms = 600'000;

const std::vector<std::string>& usual_methods() {
    static const std::vector<std::string> methods{"GET",   "HEAD",   "POST",   "PUT",
                                                  "PATCH", "DELETE", "OPTIONS"};
    return methods;
}

/// Hands the parser's messages to the configuration's list of problems.
class collector final : public google::protobuf::io::ErrorCollector {
public:
    explicit collector(config::reader& to) : to_(to) {}

    void AddError(int line, google::protobuf::io::ColumnNumber column,
                  const std::string& message) override {
        to_.problem(file_problem,
                    fmt::format("line {}, column {}: {}", line + 1, column + 1, message));
    }

private:
    config::reader& to_;
};

bool is_prefix_clean(std::string_view prefix) {
    const bool plain = std::ranges::all_of(prefix, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
               c == '_' || c == '.';
    });
    return plain && prefix.starts_with('/') && prefix.find("//") == std::string_view::npos &&
           prefix.find("/.") == std::string_view::npos && (prefix == "/" || !prefix.ends_with('/'));
}

/// What is taken away has to be there in every path of the route.
void check_rewrite(const edge::v1::Route& given, config::reader& from) {
    const auto problem = [&](std::string_view what) {
        from.problem(file_problem, fmt::format("route \"{}\": rewrite: {}", given.prefix(), what));
    };
    const auto& [strip, add] =
        std::tie(given.rewrite().strip_prefix(), given.rewrite().add_prefix());
    if (given.has_rewrite() && strip.empty() && add.empty()) {
        problem("neither strip_prefix nor add_prefix is there");
    }
    const bool begins = given.prefix() == strip || given.prefix().starts_with(strip + "/");
    if (!strip.empty() && (strip == "/" || !is_prefix_clean(strip) || !begins)) {
        problem("strip_prefix is the prefix of the route, or whole segments that begin it");
    }
    if (!add.empty() && (add == "/" || !is_prefix_clean(add))) {
        problem("add_prefix is lower-case path segments, without a slash at the end");
    }
    if (is_internal(add)) {
        problem("/internal is never routed from outside");
    }
}

void check_route(const edge::v1::Route& given, config::reader& from) {
    const auto problem = [&](std::string_view what) {
        from.problem(file_problem, fmt::format("route \"{}\": {}", given.prefix(), what));
    };
    if (!is_prefix_clean(given.prefix())) {
        problem("the prefix is lower-case path segments, without a slash at the end");
    }
    if (is_internal(given.prefix())) {
        problem("/internal is never routed from outside");
    }
    if (!given.static_root().empty()) {
        return; // nothing is sent on
    }
    if (given.deadline_ms() == 0 || given.deadline_ms() > deadline_max_ms) {
        problem(fmt::format("deadline_ms is 1 to {}", deadline_max_ms));
    }
    check_rewrite(given, from);
    if (!given.bucket().empty()) {
        return; // asks for objects, without the client's credentials and body
    }
    if (given.credentials() == edge::v1::CREDENTIALS_UNSPECIFIED) {
        problem("credentials is CREDENTIALS_EXCHANGE or CREDENTIALS_FORWARD");
    }
    if (given.body_max_bytes() == 0) {
        problem("body_max_bytes is missing");
    }
    if (given.cookie_sessions() && given.credentials() != edge::v1::CREDENTIALS_EXCHANGE) {
        problem("cookie_sessions goes with CREDENTIALS_EXCHANGE");
    }
    for (const auto& upgrade : given.upgrade()) {
        if (upgrade != "websocket") {
            problem(fmt::format("upgrade \"{}\" is not one the gateway lets through: websocket",
                                upgrade));
        }
    }
    for (const auto& method : given.method()) {
        if (std::ranges::find(usual_methods(), method) == usual_methods().end()) {
            problem(fmt::format("method {} is not one the gateway forwards", method));
        }
    }
}

route read_route(const edge::v1::Route& given, const route_table& table, config::reader& from) {
    check_route(given, from);
    route out;
    out.prefix = given.prefix();
    out.methods.assign(given.method().begin(), given.method().end());
    if (out.methods.empty()) {
        const bool files = !given.static_root().empty() || !given.bucket().empty();
        out.methods = files ? file_methods() : usual_methods();
    }
    out.credentials = given.credentials() == edge::v1::CREDENTIALS_FORWARD ? credentials::forward
                                                                           : credentials::exchange;
    out.deadline = std::chrono::milliseconds(given.deadline_ms());
    out.body_max_bytes = given.body_max_bytes();
    out.cookie_sessions = given.cookie_sessions();
    out.long_work = given.long_work();
    out.failures_as_429 = given.failures_as_429();
    out.upgrades.assign(given.upgrade().begin(), given.upgrade().end());
    out.cost = given.cost() == 0 ? 1 : given.cost();
    out.hedge_after = std::chrono::milliseconds(given.hedge_after_ms());
    out.uploads_max = given.uploads_max();
    out.rewrite = {given.rewrite().strip_prefix(), given.rewrite().add_prefix()};
    out.id = id_of(fmt::format("{} {}", out.prefix, fmt::join(out.methods, " ")));
    for (const auto& name : given.limit()) {
        const auto rule = std::ranges::find(table.limits, name, &limit_rule::name);
        if (rule == table.limits.end()) {
            from.problem(file_problem,
                         fmt::format("route \"{}\": no limit \"{}\"", given.prefix(), name));
        } else {
            out.limits.push_back(static_cast<std::size_t>(rule - table.limits.begin()));
        }
    }
    if (!given.static_root().empty()) {
        return out;
    }
    const auto target =
        std::ranges::find(table.upstreams, given.upstream(), &upstream_service::name);
    if (target == table.upstreams.end()) {
        from.problem(file_problem, fmt::format("route \"{}\": no upstream \"{}\"", given.prefix(),
                                               given.upstream()));
    } else {
        out.upstream = static_cast<std::size_t>(target - table.upstreams.begin());
    }
    return out;
}

/// Where a client's address comes from, and how it counts.
void read_client_address(const edge::v1::ClientAddress& given, route_table& to,
                         config::reader& from) {
    std::vector<cidr> blocks;
    for (const auto& text : given.trusted()) {
        const auto block = cidr::parse(text);
        if (block) {
            blocks.push_back(*block);
        } else {
            from.problem(file_problem, fmt::format("client_address: trusted \"{}\": {}", text,
                                                   block.error().detail));
        }
    }
    to.addresses.trusted = cidr_set(blocks);
    switch (given.source()) {
    case edge::v1::ADDRESS_SOURCE_X_FORWARDED_FOR:
        to.addresses.source = address_source::x_forwarded_for;
        break;
    case edge::v1::ADDRESS_SOURCE_FORWARDED:
        to.addresses.source = address_source::forwarded;
        break;
    case edge::v1::ADDRESS_SOURCE_CF_CONNECTING_IP:
        to.addresses.source = address_source::cf_connecting_ip;
        break;
    case edge::v1::ADDRESS_SOURCE_FIELD:
        to.addresses.source = address_source::named_field;
        to.addresses.field_name = given.field();
        break;
    default:
        break;
    }
    const bool needs_trust = to.addresses.source != address_source::peer || given.proxy_protocol();
    if (needs_trust && blocks.empty()) {
        from.problem(file_problem,
                     "client_address: nobody is trusted, so nothing is ever believed");
    }
    if ((to.addresses.source == address_source::named_field) == given.field().empty()) {
        from.problem(file_problem, "client_address: field goes with ADDRESS_SOURCE_FIELD");
    }
    if (given.ipv6_prefix_length() > 128) {
        from.problem(file_problem, "client_address: ipv6_prefix_length is 1 to 128");
    }
    to.proxy_protocol = given.proxy_protocol();
    to.v6_prefix = given.ipv6_prefix_length() == 0 ? 64 : given.ipv6_prefix_length();
}

void read_cookie_sessions(const edge::v1::CookieSessions& given, route_table& to,
                          config::reader& from) {
    for (const auto& origin : given.trusted_origin()) {
        const auto scheme_end = origin.find("://");
        const bool clean = scheme_end != std::string::npos && origin.starts_with("http") &&
                           origin.find_first_of("/*? ", scheme_end + 3) == std::string::npos;
        if (!clean) {
            from.problem(file_problem, fmt::format("cookie_sessions: trusted_origin \"{}\" is no "
                                                   "origin; expected https://host",
                                                   origin));
        }
        to.trusted_origins.push_back(origin);
    }
}

} // namespace

route_table read_route_table(const std::string& text, config::reader& from) {
    edge::v1::RouteTable given;
    google::protobuf::TextFormat::Parser parser;
    collector errors(from);
    parser.RecordErrorsTo(&errors);
    route_table out;
    if (!parser.ParseFromString(text, &given)) {
        return out;
    }
    for (const auto& upstream : given.upstream()) {
        out.upstreams.push_back(read_upstream(upstream, from));
    }
    for (const auto& each : given.limit()) {
        read_limit(each, out, from);
    }
    read_client_address(given.client_address(), out, from);
    read_listeners(given, out, from);
    read_cookie_sessions(given.cookie_sessions(), out, from);
    out.connections_per_address_max = given.connections().per_address_max();
    content_file content(given, from);
    bucket_file buckets(given, from);
    std::set<std::pair<std::string, std::string>> taken;
    for (const auto& each : given.route()) {
        out.routes.push_back(read_route(each, out, from));
        content.read_route(each, out.routes.back());
        buckets.read_route(each, out, out.routes.back());
        for (const auto& method : out.routes.back().methods) {
            if (!taken.emplace(each.prefix(), method).second) {
                from.problem(file_problem, fmt::format("route \"{}\" stands twice for {}",
                                                       each.prefix(), method));
            }
        }
    }
    if (out.routes.empty()) {
        from.problem(file_problem, "no routes");
    }
    out.index();
    return out;
}

route_table read_route_file(const std::string& path, config::reader& from) {
    const std::ifstream file(path);
    if (!file) {
        from.problem("RELAIS_ROUTES_FILE", fmt::format("cannot read {}", path));
        return {};
    }
    std::ostringstream content;
    content << file.rdbuf();
    return read_route_table(content.str(), from);
}

} // namespace relais::gateway
