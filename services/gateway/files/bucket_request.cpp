#include "gateway/files/bucket_request.hpp"

#include "gateway/files/static_rules.hpp"
#include "http/tokens.hpp"
#include "objectstore/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

namespace relais::gateway {
namespace {

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
    return std::ranges::any_of(
        names, [name](std::string_view each) { return http::equal_names(each, name); });
}

/// What a client may say of the copy that it has, and of the part that it wants.
bool is_for_store(std::string_view name) {
    static constexpr std::array<std::string_view, 6> names{"if-none-match", "if-modified-since",
                                                           "if-match",      "if-unmodified-since",
                                                           "if-range",      "range"};
    return is_one_of(name, names);
}

bool tells_of_content(std::string_view name) {
    static constexpr std::array<std::string_view, 11> names{"accept-ranges",
                                                            "cache-control",
                                                            "content-disposition",
                                                            "content-encoding",
                                                            "content-language",
                                                            "content-range",
                                                            "date",
                                                            "etag",
                                                            "expires",
                                                            "last-modified",
                                                            "x-request-id"};
    return is_one_of(name, names);
}

} // namespace

bool bucket_request::begin(const bucket_rules& rules, const http::request_head& asked) {
    skips = false;
    auto below = path_below(rules.prefix, asked.path);
    if (!below) {
        return false;
    }
    if (below->empty() || asked.path.ends_with('/')) {
        below->append(below->empty() ? "" : "/").append(rules.index);
    }
    type_ = content_type_of(*below);
    name_ = std::move(*below);
    coded_ =
        rules.codings.empty() ? coding::identity : accepted_codings::of(asked).best(rules.codings);
    return true;
}

void bucket_request::write_head(const bucket_rules& rules, const http::request_head& asked,
                                timestamp now, std::string& out) const {
    objectstore::signing_request what{
        std::string(asked.method),
        rules.host,
        fmt::format("/{}/{}{}", rules.path, name_, extension_of(coded_)),
        {},
        {}};
    auto to = std::back_inserter(out);
    fmt::format_to(to, "{} {} HTTP/1.1\r\nHost: {}\r\nVia: 1.1 relais\r\n", asked.method,
                   objectstore::encode_path(what.path), rules.host);
    for (const auto& field : asked.fields) {
        if (is_for_store(field.name)) {
            fmt::format_to(to, "{}: {}\r\n", field.name, field.value);
        }
    }
    if (rules.signs) {
        const auto date = objectstore::amz_date(now);
        what.headers = {{"x-amz-content-sha256", std::string(objectstore::unsigned_payload)},
                        {"x-amz-date", date}};
        fmt::format_to(
            to, "x-amz-content-sha256: {}\r\nx-amz-date: {}\r\nAuthorization: {}\r\n",
            objectstore::unsigned_payload, date,
            objectstore::authorization(what, *rules.signs, now, objectstore::unsigned_payload));
    }
    out.append("\r\n");
}

bucket_request::verdict bucket_request::judge(const http::response_head& head) {
    status_ = head.status;
    outcome_ = judge_status(head.status);
    refusal_.clear();
    if (outcome_ == verdict::unsuitable) {
        range_ = head.find("content-range").value_or("");
    }
    return outcome_;
}

bucket_request::verdict bucket_request::judge_status(int status) const {
    switch (status) {
    case 200:
    case 206:
    case 304:
        return verdict::give;
    case 403: // what is missing, for who may not list the bucket
    case 404:
        return coded_ == coding::identity ? verdict::missing : verdict::ask_plain;
    case 412:
    case 416:
        return verdict::unsuitable;
    default:
        return verdict::failed;
    }
}

void bucket_request::read_refusal(std::string_view piece) {
    constexpr std::size_t kept = 2'048;
    refusal_.append(piece.substr(0, kept - std::min(kept, refusal_.size())));
    const auto code = status_ == 403 ? objectstore::error_code(refusal_) : std::string();
    if (!code.empty() && code != "AccessDenied") {
        outcome_ = verdict::failed; // else a wrong key would make all pages go away
    }
}

http::response bucket_request::refusal() const {
    auto out = http::response::empty(status_);
    if (!range_.empty()) {
        out.headers.set("Content-Range", range_);
    }
    return out;
}

void bucket_request::shape(const bucket_rules& rules, answer_head& to) const {
    const bool own_coding = coded_ != coding::identity;
    std::erase_if(to.fields, [&](const auto& field) {
        const bool ours =
            (!rules.cache_control.empty() && (http::equal_names(field.name, "cache-control") ||
                                              http::equal_names(field.name, "expires"))) ||
            (own_coding && http::equal_names(field.name, "content-encoding"));
        return ours || !tells_of_content(field.name);
    });
    if (!rules.cache_control.empty()) {
        to.fields.push_back({"Cache-Control", rules.cache_control});
    }
    if (!rules.codings.empty()) {
        to.fields.push_back({"Vary", "Accept-Encoding"});
    }
    to.fields.push_back({"Content-Type", type_});
    if (own_coding) {
        to.fields.push_back({"Content-Encoding", to_string(coded_)});
    }
}

} // namespace relais::gateway
