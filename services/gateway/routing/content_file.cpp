#include "gateway/routing/content_file.hpp"

#include "gateway/exchange/field_class.hpp"
#include "http/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {
namespace {

constexpr std::string_view file_problem = "routes file";
constexpr std::uint32_t cors_max_age_max_s = 86'400;

template <class List>
std::vector<std::string> texts(const List& from) {
    return {from.begin(), from.end()};
}

/// Fields that have a meaning for the message itself, so that no rule may touch them.
bool is_settable(std::string_view name) {
    constexpr std::array<std::string_view, 6> others{
        "content-encoding", "content-range", "vary", "set-cookie", "age", "cache-status"};
    return http::is_token(name) && classify(name) == field_class::end_to_end &&
           std::ranges::none_of(
               others, [name](std::string_view each) { return http::equal_names(each, name); });
}

constexpr std::string_view hsts_field = "Strict-Transport-Security";

/// Of forms before it had one place.
bool has_hsts_fields(const edge::v1::ResponseHeaders& given) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return given.hsts_max_age_s() > 0 || given.hsts_include_subdomains() || given.hsts_preload();
#pragma GCC diagnostic pop
}

/// It holds for whole hosts and has to be on every answer, also where no route matches.
bool says_hsts(const edge::v1::ResponseHeaders& given) {
    const auto is_it = [](std::string_view name) {
        return http::equal_names(name, hsts_field);
    };
    const auto has_it = [&](const auto& lines) {
        return std::ranges::any_of(lines, [&](const auto& each) { return is_it(each.name()); });
    };
    return has_hsts_fields(given) || has_it(given.set()) || has_it(given.add_missing()) ||
           std::ranges::any_of(given.remove(), is_it);
}

} // namespace

content_file::content_file(const edge::v1::RouteTable& given, config::reader& from) : from_(from) {
    for (const auto& each : given.response_headers()) {
        read(each);
    }
    for (const auto& each : given.cors()) {
        read(each);
    }
    for (const auto& each : given.compression()) {
        read(each);
    }
    for (const auto& each : given.static_root()) {
        read(each);
    }
    for (const auto& each : given.cache()) {
        read(each);
    }
}

void content_file::problem(std::string_view kind, const std::string& name,
                           const std::string& what) {
    from_.problem(file_problem, fmt::format("{} \"{}\": {}", kind, name, what));
}

void content_file::read(const edge::v1::ResponseHeaders& given) {
    constexpr std::string_view kind = "response_headers";
    field_rules out;
    const auto check = [&](const std::string& name, const std::string& value) {
        if (!is_settable(name)) {
            problem(kind, given.name(), fmt::format("\"{}\" is no field that can be set", name));
        }
        if (!http::is_field_value(value) || http::trim_blanks(value) != value) {
            problem(kind, given.name(), fmt::format("the value of {} is not one", name));
        }
    };
    if (given.security_preset()) {
        out.use_security_preset();
    }
    for (const auto& each : given.remove()) {
        check(each, "");
        out.remove(each);
    }
    for (const auto& each : given.add_missing()) {
        check(each.name(), each.value());
        out.add_missing(each.name(), each.value());
    }
    for (const auto& each : given.set()) {
        check(each.name(), each.value());
        out.set(each.name(), each.value());
    }
    if (says_hsts(given)) {
        problem(kind, given.name(),
                fmt::format("{} is said by the listener: listener {{ … strict_transport_security "
                            "{{ max_age_s: … }} }}",
                            hsts_field));
    }
    if (!fields_.emplace(given.name(), std::move(out)).second || given.name().empty()) {
        problem(kind, given.name(), "the name is missing or stands twice");
    }
}

void content_file::read(const edge::v1::Cors& given) {
    cors_rules::settings out{
        texts(given.origin()),         texts(given.method()),
        texts(given.request_header()), texts(given.expose_header()),
        given.credentials(),           std::chrono::seconds(given.max_age_s())};
    for (const auto& what : cors_rules::problems(out)) {
        problem("cors", given.name(), what);
    }
    if (given.max_age_s() > cors_max_age_max_s) {
        problem("cors", given.name(), fmt::format("max_age_s is at most {}", cors_max_age_max_s));
    }
    if (!cors_.emplace(given.name(), std::move(out)).second || given.name().empty()) {
        problem("cors", given.name(), "the name is missing or stands twice");
    }
}

void content_file::read(const edge::v1::Compression& given) {
    compression_rules::settings settings{texts(given.type()),   given.bytes_min(),
                                         texts(given.coding()), given.gzip_level(),
                                         given.brotli_level(),  given.zstd_level()};
    for (const auto& what : compression_rules::problems(settings)) {
        problem("compression", given.name(), what);
    }
    if (!compression_.emplace(given.name(), compression_rules(settings)).second ||
        given.name().empty()) {
        problem("compression", given.name(), "the name is missing or stands twice");
    }
}

void content_file::read(const edge::v1::StaticRoot& given) {
    constexpr std::string_view kind = "static_root";
    static_rules out;
    out.directory = given.directory();
    out.index = given.index().empty() ? "index.html" : given.index();
    out.fallback = given.fallback();
    out.not_found = given.not_found();
    out.cache_control = given.cache_control();
    std::error_code ignored;
    if (!out.directory.starts_with('/') || !std::filesystem::is_directory(out.directory, ignored)) {
        problem(kind, given.name(),
                fmt::format("\"{}\" is no directory; give its absolute path", out.directory));
    }
    if (!http::is_token(out.index) || out.index.starts_with('.')) {
        problem(kind, given.name(), "index is the name of a file");
    }
    for (const auto& file : {out.fallback, out.not_found}) {
        if (!file.empty() && path_below("/", "/" + file) != file) {
            problem(kind, given.name(), fmt::format("\"{}\" is no path below it", file));
        }
    }
    if (!http::is_field_value(out.cache_control)) {
        problem(kind, given.name(), "cache_control is no value of a field");
    }
    if (!files_.emplace(given.name(), std::move(out)).second || given.name().empty()) {
        problem(kind, given.name(), "the name is missing or stands twice");
    }
}

void content_file::read(const edge::v1::CachePolicy& given) {
    constexpr std::uint64_t entry_max = std::uint64_t{64} << 20;
    cache_policy out;
    out.default_ttl = std::chrono::seconds(given.default_ttl_s());
    out.stale_while_revalidate = std::chrono::seconds(given.stale_while_revalidate_s());
    out.stale_if_error = std::chrono::seconds(given.stale_if_error_s());
    if (given.entry_bytes_max() > 0) {
        out.entry_bytes_max = given.entry_bytes_max();
    }
    if (out.entry_bytes_max > entry_max) {
        problem("cache", given.name(), fmt::format("entry_bytes_max is at most {}", entry_max));
    }
    if (!caches_.emplace(given.name(), out).second || given.name().empty()) {
        problem("cache", given.name(), "the name is missing or stands twice");
    }
}

template <class Parts>
const typename Parts::mapped_type* content_file::find(const Parts& among, std::string_view kind,
                                                      const std::string& name,
                                                      const edge::v1::Route& whose) {
    const auto found = among.find(name);
    if (found == among.end()) {
        from_.problem(file_problem,
                      fmt::format("route \"{}\": no {} \"{}\"", whose.prefix(), kind, name));
        return nullptr;
    }
    return &found->second;
}

std::shared_ptr<const answer_rules>
content_file::rules_of(const edge::v1::Route& given, const std::vector<std::string>& methods) {
    answer_rules out;
    for (const auto& name : given.response_headers()) {
        if (const auto* set = find(fields_, "response_headers", name, given)) {
            out.fields.add(*set);
        }
    }
    if (!given.cors().empty()) {
        if (const auto* named = find(cors_, "cors", given.cors(), given)) {
            auto settings = *named;
            if (settings.methods.empty()) {
                settings.methods = methods;
            }
            out.cors.emplace(settings);
        }
    }
    if (!given.compression().empty()) {
        if (const auto* named = find(compression_, "compression", given.compression(), given)) {
            out.compression = *named;
        }
    }
    if (out.fields.empty() && !out.cors && !out.compression) {
        return nullptr;
    }
    return std::make_shared<const answer_rules>(std::move(out));
}

std::shared_ptr<const static_rules> content_file::files_of(const edge::v1::Route& given) {
    if (given.static_root().empty()) {
        return nullptr;
    }
    const auto* const named = find(files_, "static_root", given.static_root(), given);
    const bool other = !given.upstream().empty() || given.upgrade_size() > 0 ||
                       given.failures_as_429() || given.uploads_max() > 0 || given.has_rewrite();
    const bool writes = std::ranges::any_of(
        given.method(), [](const auto& method) { return method != "GET" && method != "HEAD"; });
    if (other || writes) {
        from_.problem(file_problem,
                      fmt::format("route \"{}\": static_root has no upstream, answers "
                                  "GET and HEAD, and nothing is sent on",
                                  given.prefix()));
    }
    auto out = std::make_shared<static_rules>(named == nullptr ? static_rules() : *named);
    out->prefix = given.prefix();
    for (auto* file : {&out->fallback, &out->not_found}) {
        if (!file->empty()) {
            *file = path_of(given.prefix(), *file);
        }
    }
    return out;
}

std::shared_ptr<const cache_policy> content_file::cache_of(const edge::v1::Route& given) {
    if (given.cache().empty()) {
        return nullptr;
    }
    if (!given.static_root().empty()) {
        from_.problem(file_problem,
                      fmt::format("route \"{}\": files are in memory already, cache is "
                                  "for services",
                                  given.prefix()));
    }
    const auto* const named = find(caches_, "cache", given.cache(), given);
    return named == nullptr ? nullptr : std::make_shared<const cache_policy>(*named);
}

void content_file::read_route(const edge::v1::Route& given, route& to) {
    to.files = files_of(given);
    to.cache = cache_of(given);
    to.answers = rules_of(given, to.methods);
}

std::vector<std::string> file_methods() {
    return {"GET", "HEAD"};
}

} // namespace relais::gateway
