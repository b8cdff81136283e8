#include "gateway/cache/cached_answer.hpp"

#include "gateway/cache/cache_directives.hpp"
#include "gateway/files/file_conditions.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <array>

namespace relais::gateway {
namespace {

using std::chrono::seconds;

/// Statuses whose meaning a cache has to know to keep them.
constexpr std::array kept_statuses{200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 501};
constexpr std::size_t tags_max = 64;
constexpr std::size_t vary_max = 8;

std::string_view value_of(const std::vector<http::field_view>& fields, std::string_view name) {
    for (const auto& field : fields) {
        if (http::equal_names(field.name, name)) {
            return field.value;
        }
    }
    return {};
}

bool is_between_us(std::string_view name) {
    return http::equal_names(name, "surrogate-key") || http::equal_names(name, "cache-tag") ||
           http::equal_names(name, "surrogate-control");
}

bool is_kept(std::string_view name) {
    return !is_between_us(name) && !http::equal_names(name, "x-request-id") &&
           !http::equal_names(name, "age") && !http::equal_names(name, "cache-status");
}

/// All values of a field, as one.
std::string combined(const std::vector<http::field_view>& fields, std::string_view name) {
    std::string out;
    for (const auto& field : fields) {
        if (http::equal_names(field.name, name)) {
            out.append(out.empty() ? "" : ", ").append(field.value);
        }
    }
    return out;
}

/// Surrogate-Key is separated by blanks, Cache-Tag by commas; either is taken.
std::vector<std::string> tags_of(const std::vector<http::field_view>& fields) {
    std::vector<std::string> out;
    for (const auto& field : fields) {
        if (!http::equal_names(field.name, "surrogate-key") &&
            !http::equal_names(field.name, "cache-tag")) {
            continue;
        }
        for (auto rest = field.value; !rest.empty() && out.size() < tags_max;) {
            const auto end = std::min(rest.find_first_of(" ,\t"), rest.size());
            if (end > 0) {
                out.emplace_back(rest.substr(0, end));
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return out;
}

/// False: it varies by everything, or by too much.
bool read_vary(const http::request_head& asked, const answer_head& answer, cached_answer& to) {
    for (const auto& field : answer.fields) {
        if (!http::equal_names(field.name, "vary")) {
            continue;
        }
        auto rest = field.value;
        std::string_view name;
        while (http::next_list_member(rest, name)) {
            if (name == "*" || to.vary.size() == vary_max) {
                return false;
            }
            to.vary.emplace_back(name, combined(asked.fields, name));
        }
    }
    return true;
}

seconds lifetime_of(const cache_directives& says, const answer_head& answer,
                    const cache_policy& policy) {
    if (says.no_cache) {
        return seconds(0); // kept to be asked about
    }
    if (says.s_maxage || says.max_age) {
        return says.s_maxage.value_or(says.max_age.value_or(seconds(0)));
    }
    const auto expires = value_of(answer.fields, "expires");
    if (!expires.empty()) {
        const auto end = parse_http_date(expires);
        const auto begin = parse_http_date(value_of(answer.fields, "date"));
        return end && begin && *end > *begin ? *end - *begin : seconds(0);
    }
    return policy.default_ttl;
}

/// Freshness, tags and validators.
void describe(const answer_head& answer, const cache_directives& says, const cache_policy& policy,
              cached_answer::steady::time_point now, cached_answer& to) {
    to.stored = now;
    to.age_then = parse_delta_seconds(value_of(answer.fields, "age")).value_or(seconds(0));
    to.lifetime = lifetime_of(says, answer, policy);
    if (!says.must_revalidate && !says.no_cache) {
        to.stale_while_revalidate =
            says.stale_while_revalidate.value_or(policy.stale_while_revalidate);
        to.stale_if_error = says.stale_if_error.value_or(policy.stale_if_error);
    } else if (says.s_maxage && !says.no_cache) {
        // s-maxage forbids what is stale, unless it is said beside it that it may be (RFC 5861).
        to.stale_while_revalidate = says.stale_while_revalidate.value_or(seconds(0));
        to.stale_if_error = says.stale_if_error.value_or(seconds(0));
    }
}

} // namespace

bool cached_answer::matches(const http::request_head& asked) const {
    return std::ranges::all_of(vary, [&asked](const auto& each) {
        return combined(asked.fields, each.first) == each.second;
    });
}

std::size_t cached_answer::bytes() const {
    std::size_t sum = 512 + (body == nullptr ? 0 : body->size());
    for (const auto& [name, value] : fields) {
        sum += name.size() + value.size() + sizeof(text_pair);
    }
    return sum;
}

bool may_use_cache(const http::request_head& asked) {
    return (asked.method == "GET" || asked.method == "HEAD") &&
           asked.framing == http::framing::none && !asked.find("authorization") &&
           !asked.find("range") && !asked.upgrade;
}

std::shared_ptr<cached_answer> keep_answer(const http::request_head& asked,
                                           const answer_head& answer, const cache_policy& policy,
                                           cached_answer::steady::time_point now) {
    const auto says = cache_directives::of(answer.fields);
    const bool forbidden = says.no_store || says.is_private || asked.method != "GET" ||
                           std::ranges::find(kept_statuses, answer.status) == kept_statuses.end() ||
                           cache_directives::of(asked.fields).no_store ||
                           !value_of(answer.fields, "set-cookie").empty() ||
                           answer.content_length.value_or(0) > policy.entry_bytes_max;
    if (forbidden) {
        return nullptr;
    }
    auto out = std::make_shared<cached_answer>();
    describe(answer, says, policy, now, *out);
    out->etag = value_of(answer.fields, "etag");
    out->last_modified = value_of(answer.fields, "last-modified");
    out->tags = tags_of(answer.fields);
    const bool can_be_asked_about = !out->etag.empty() || !out->last_modified.empty();
    if ((out->lifetime <= out->age_then && !can_be_asked_about) ||
        !read_vary(asked, answer, *out)) {
        return nullptr;
    }
    out->status = answer.status;
    out->reason = answer.reason;
    for (const auto& [name, value] : answer.fields) {
        if (is_kept(name)) {
            out->fields.emplace_back(name, value);
        }
    }
    return out;
}

std::shared_ptr<cached_answer> freshen(const cached_answer& kept, const http::request_head& asked,
                                       const answer_head& answer, const cache_policy& policy,
                                       cached_answer::steady::time_point now) {
    auto out = std::make_shared<cached_answer>(kept);
    for (const auto& [name, value] : answer.fields) {
        const bool of_body = http::equal_names(name, "content-encoding") ||
                             http::equal_names(name, "content-type") ||
                             http::equal_names(name, "content-range");
        if (!is_kept(name) || of_body) {
            continue;
        }
        std::erase_if(out->fields,
                      [&name](const auto& known) { return http::equal_names(known.first, name); });
    }
    for (const auto& [name, value] : answer.fields) {
        if (is_kept(name) && std::ranges::none_of(out->fields, [&name](const auto& known) {
                return http::equal_names(known.first, name);
            })) {
            out->fields.emplace_back(name, value);
        }
    }
    answer_head merged;
    for (const auto& [name, value] : out->fields) {
        merged.fields.push_back({name, value});
    }
    const auto says = cache_directives::of(merged.fields);
    if (says.no_store || says.is_private || cache_directives::of(asked.fields).no_store) {
        out->lifetime = out->stale_while_revalidate = out->stale_if_error = seconds(0);
        out->stored = now;
        return out;
    }
    out->stale_while_revalidate = out->stale_if_error = seconds(0);
    describe(merged, says, policy, now, *out);
    out->age_then = parse_delta_seconds(value_of(answer.fields, "age")).value_or(seconds(0));
    if (auto tags = tags_of(answer.fields); !tags.empty()) {
        out->tags = std::move(tags);
    }
    return out;
}

void strip_cache_fields(answer_head& answer) {
    std::erase_if(answer.fields, [](const auto& field) { return is_between_us(field.name); });
}

std::string cache_key(const http::request_head& asked, bool https) {
    std::string out(https ? "https " : "http ");
    out.append(asked.host).append(asked.path);
    if (asked.has_query) {
        out.append("?").append(asked.query);
    }
    return out;
}

} // namespace relais::gateway
