#include "objectstore/signer.hpp"

#include "ids/encoding.hpp"
#include "log/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace relais::objectstore {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

using bytes = std::vector<std::uint8_t>;

bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

std::string encode(std::string_view text, std::string_view kept) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (const char c : text) {
        if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 0x0f];
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return out;
}

/// Without spaces around, and with inner runs of them folded into one.
std::string fold_spaces(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t';
        if (space && (out.empty() || out.back() == ' ')) {
            continue;
        }
        out += space ? ' ' : c;
    }
    if (!out.empty() && out.back() == ' ') {
        out.pop_back();
    }
    return out;
}

/// Sorted by encoded name, then value; that is not the order of the decoded ones.
std::string canonical_query(const name_values& query) {
    name_values encoded;
    encoded.reserve(query.size());
    for (const auto& [name, value] : query) {
        encoded.emplace_back(encode(name, ""), encode(value, ""));
    }
    std::ranges::sort(encoded);
    std::string out;
    for (const auto& [name, value] : encoded) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
    }
    return out;
}

name_values canonical_headers(const signing_request& what) {
    name_values out{{"host", what.host}};
    for (const auto& [name, value] : what.headers) {
        out.emplace_back(lower(name), fold_spaces(value));
    }
    std::ranges::sort(out);
    return out;
}

std::string signed_names(const name_values& headers) {
    std::string out;
    for (const auto& [name, value] : headers) {
        out += out.empty() ? name : ";" + name;
    }
    return out;
}

std::string canonical_request(const signing_request& what, const name_values& query,
                              const name_values& headers, std::string_view payload_hash) {
    std::string out =
        fmt::format("{}\n{}\n{}\n", what.method, encode_path(what.path), canonical_query(query));
    for (const auto& [name, value] : headers) {
        out += fmt::format("{}:{}\n", name, value);
    }
    out += fmt::format("\n{}\n{}", signed_names(headers), payload_hash);
    return out;
}

std::string date_of(timestamp now) {
    return amz_date(now).substr(0, 8);
}

std::string scope_of(const credentials& with, timestamp now) {
    return fmt::format("{}/{}/{}/aws4_request", date_of(now), with.region, with.service);
}

bytes step(const bytes& key, std::string_view text) {
    return hmac_sha256(key, as_bytes(text));
}

std::string hex_signature(const credentials& with, timestamp now, std::string_view text) {
    const std::string start = "AWS4" + with.secret_key.reveal();
    const bytes date_key = hmac_sha256(as_bytes(start), as_bytes(date_of(now)));
    const bytes region_key = step(date_key, with.region);
    const bytes service_key = step(region_key, with.service);
    const bytes signing_key = step(service_key, "aws4_request");
    return to_hex(step(signing_key, text));
}

std::string sign_request(const std::string& canonical, const credentials& with, timestamp now) {
    const std::string hash = to_hex(sha256(as_bytes(canonical)));
    return hex_signature(
        with, now,
        fmt::format("{}\n{}\n{}\n{}", algorithm, amz_date(now), scope_of(with, now), hash));
}

/// Standard alphabet with padding (RFC 4648 §4), which is what policies are written in.
std::string base64(std::string_view text) {
    std::string out = to_base64url(as_bytes(text));
    std::ranges::replace(out, '-', '+');
    std::ranges::replace(out, '_', '/');
    out.resize((out.size() + 3) / 4 * 4, '=');
    return out;
}

void append_exact(std::string& out, std::string_view name, std::string_view value) {
    out += '{';
    log::append_json_string(out, name);
    out += ':';
    log::append_json_string(out, value);
    out += "},";
}

/// What the form says besides policy and signature, in the order of the conditions.
name_values form_fields(const post_policy& policy, const credentials& with, timestamp now) {
    name_values out{{"key", policy.key}, {"content-type", policy.content_type}};
    out.insert(out.end(), policy.exact.begin(), policy.exact.end());
    out.emplace_back("x-amz-algorithm", algorithm);
    out.emplace_back("x-amz-credential", with.access_key + "/" + scope_of(with, now));
    out.emplace_back("x-amz-date", amz_date(now));
    return out;
}

struct civil_time {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<std::chrono::milliseconds> of_day;

    explicit civil_time(timestamp time)
        : date(std::chrono::floor<std::chrono::days>(time)),
          of_day(std::chrono::floor<std::chrono::milliseconds>(
              time - std::chrono::floor<std::chrono::days>(time))) {}
};

std::string policy_time(timestamp time) {
    const civil_time at(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(at.date.year()),
                       unsigned(at.date.month()), unsigned(at.date.day()),
                       at.of_day.hours().count(), at.of_day.minutes().count(),
                       at.of_day.seconds().count(), at.of_day.subseconds().count());
}

} // namespace

std::string amz_date(timestamp time) {
    const civil_time at(time);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", int(at.date.year()),
                       unsigned(at.date.month()), unsigned(at.date.day()),
                       at.of_day.hours().count(), at.of_day.minutes().count(),
                       at.of_day.seconds().count());
}

std::string encode_path(std::string_view path) {
    return encode(path, "/");
}

std::string authorization(const signing_request& what, const credentials& with, timestamp now,
                          std::string_view payload_hash) {
    const name_values headers = canonical_headers(what);
    const std::string canonical = canonical_request(what, what.query, headers, payload_hash);
    return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                       with.access_key, scope_of(with, now), signed_names(headers),
                       sign_request(canonical, with, now));
}

std::string presign(const signing_request& what, const credentials& with, timestamp now,
                    std::chrono::seconds lifetime, std::string_view payload_hash) {
    assert(lifetime.count() >= 1 && lifetime <= std::chrono::days(7));
    const name_values headers = canonical_headers(what);
    name_values query = what.query;
    query.emplace_back("X-Amz-Algorithm", algorithm);
    query.emplace_back("X-Amz-Credential", with.access_key + "/" + scope_of(with, now));
    query.emplace_back("X-Amz-Date", amz_date(now));
    query.emplace_back("X-Amz-Expires", std::to_string(lifetime.count()));
    query.emplace_back("X-Amz-SignedHeaders", signed_names(headers));
    const std::string canonical = canonical_request(what, query, headers, payload_hash);
    return fmt::format("{}?{}&X-Amz-Signature={}", encode_path(what.path), canonical_query(query),
                       sign_request(canonical, with, now));
}

std::string policy_document(const post_policy& policy, const credentials& with, timestamp now) {
    std::string out =
        fmt::format(R"({{"expiration":"{}","conditions":[)", policy_time(policy.expires_at));
    append_exact(out, "bucket", policy.bucket);
    for (const auto& [name, value] : form_fields(policy, with, now)) {
        append_exact(out, name, value);
        if (name == "content-type") {
            out +=
                fmt::format(R"(["content-length-range",{},{}],)", policy.size_min, policy.size_max);
        }
    }
    out.back() = ']';
    out += '}';
    return out;
}

std::string sign_policy(std::string_view policy_base64, const credentials& with, timestamp now) {
    return hex_signature(with, now, policy_base64);
}

name_values sign_post(const post_policy& policy, const credentials& with, timestamp now) {
    const std::string encoded = base64(policy_document(policy, with, now));
    name_values out = form_fields(policy, with, now);
    out.emplace_back("policy", encoded);
    out.emplace_back("x-amz-signature", sign_policy(encoded, with, now));
    return out;
}

} // namespace relais::objectstore
