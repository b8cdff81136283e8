#include "gateway/exchange/heads.hpp"

#include "gateway/exchange/field_class.hpp"
#include "gateway/exchange/request_facts.hpp"
#include "gateway/identity/cookie_session.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace relais::gateway {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ", 2);
    out.append(value);
    out.append("\r\n", 2);
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    append_field(out, name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

bool may_have_body(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

/// Whether a Connection field names other fields, beyond the usual words.
bool nominates(std::string_view value) {
    std::string_view member;
    while (http::next_list_member(value, member)) {
        if (!http::equal_names(member, "keep-alive") && !http::equal_names(member, "close")) {
            return true;
        }
    }
    return false;
}

/// The fields that are named by Connection. Mostly there are none, and then looking is all it
/// takes.
class nominations {
public:
    explicit nominations(const std::vector<http::field_view>& fields) : fields_(fields) {
        any_ = std::ranges::any_of(fields, [](const auto& field) {
            return is_connection(field) && nominates(field.value);
        });
    }

    bool has(std::string_view name) const {
        return any_ && std::ranges::any_of(fields_, [name](const auto& field) {
                   return is_connection(field) && http::list_has(field.value, name);
               });
    }

private:
    static bool is_connection(const http::field_view& field) {
        return field.name.size() == 10 && classify(field.name) == field_class::connection;
    }

    const std::vector<http::field_view>& fields_;
    bool any_ = false;
};

void append_request_framing(std::string& out, const http::request_head& head) {
    if (head.framing == http::framing::chunked) {
        append_field(out, "Transfer-Encoding", "chunked");
    } else if (head.framing == http::framing::content_length) {
        append_number(out, "Content-Length", head.body_bytes);
    } else if (may_have_body(head.method)) {
        append_number(out, "Content-Length", 0);
    }
}

void append_status_and_fields(std::string& out, const answer_head& head) {
    std::array<char, 4> status{};
    std::to_chars(status.data(), status.data() + status.size(), head.status);
    out.append("HTTP/1.1 ");
    out.append(status.data(), 3);
    out += ' ';
    out.append(head.reason);
    out.append("\r\n");
    for (const auto& field : head.fields) {
        append_field(out, field.name, field.value);
    }
}

/// The session's is exchanged for an identity, like Authorization.
void append_cookies(std::string& out, const http::field_view& field, const nominations& named) {
    const bool has_session = field.value.find(session_cookie_name) != std::string_view::npos;
    if (named.has(field.name)) {
        return;
    }
    if (!has_session) {
        append_field(out, field.name, field.value);
    } else if (const auto rest = without_session_cookie(field.value); !rest.empty()) {
        append_field(out, field.name, rest);
    }
}

std::string_view via_of(const http::request_head& head) {
    if (head.version_major == 2) {
        return "2.0 relais";
    }
    return head.version_minor == 0 ? "1.0 relais" : "1.1 relais";
}

/// Copies the views of what goes through; whether a Date is among it.
bool take_end_to_end(const std::vector<http::field_view>& from, answer_head& to) {
    const nominations named(from);
    bool has_date = false;
    for (const auto& field : from) {
        const auto what = classify(field.name);
        const bool is_internal = what == field_class::ours && field.name.size() > 9 &&
                                 http::equal_names(field.name.substr(0, 9), "x-relais-");
        const bool dropped = what == field_class::hop_by_hop || what == field_class::connection ||
                             what == field_class::server || what == field_class::request_id ||
                             is_internal;
        if (!dropped && !named.has(field.name)) {
            to.fields.push_back(field);
            has_date = has_date || what == field_class::date;
        }
    }
    return has_date;
}

} // namespace

void write_request_head(const http::request_head& from_client, const forwarding& about,
                        std::string& out) {
    out.append(from_client.method);
    out += ' ';
    out.append(about.path.empty() ? from_client.path : about.path);
    if (from_client.has_query) {
        out += '?';
        out.append(from_client.query);
    }
    out.append(" HTTP/1.1\r\n");
    append_field(out, "Host", from_client.host.empty() ? about.service : from_client.host);
    const nominations named(from_client.fields);
    const auto forwards = max_forwards(from_client);
    for (const auto& field : from_client.fields) {
        if (forwards && http::equal_names(field.name, max_forwards_field)) {
            continue;
        }
        const auto what = classify(field.name);
        if (what == field_class::cookie && !about.keep_authorization) {
            append_cookies(out, field, named);
            continue;
        }
        const bool plain = what == field_class::end_to_end || what == field_class::cookie ||
                           what == field_class::date || what == field_class::server ||
                           (what == field_class::authorization && about.keep_authorization);
        if (plain && !named.has(field.name)) {
            append_field(out, field.name, field.value);
        }
    }
    if (forwards) {
        append_number(out, "Max-Forwards", std::max<std::uint64_t>(*forwards, 1) - 1);
    }
    append_field(out, "Via", via_of(from_client));
    append_field(out, "X-Forwarded-For", about.client_address);
    append_field(out, "X-Forwarded-Proto", about.scheme);
    if (!from_client.host.empty()) {
        append_field(out, "X-Forwarded-Host", from_client.host);
    }
    append_field(out, "X-Request-Id", about.request_id);
    append_field(out, "traceparent", about.traceparent);
    if (about.deadline.count() > 0) {
        append_number(out, "X-Relais-Deadline-Ms",
                      static_cast<std::uint64_t>(about.deadline.count()));
    }
    if (about.respond_async) {
        append_field(out, "Prefer", "respond-async");
    }
    if (!about.identity.empty()) {
        append_field(out, "X-Relais-Identity", about.identity);
    }
    if (!about.upgrade.empty()) {
        append_field(out, "Connection", "Upgrade");
        append_field(out, "Upgrade", about.upgrade);
    }
    append_request_framing(out, from_client);
    out.append("\r\n");
}

void take_answer_head(const http::response_head& from, std::string_view request_id,
                      std::string_view date_now, answer_head& to) {
    to.status = from.status;
    to.reason = from.reason;
    to.has_body = from.framing != http::framing::none;
    to.content_length = from.content_length;
    to.fields.clear();
    if (!take_end_to_end(from.fields, to)) {
        to.fields.push_back({"Date", date_now});
    }
    to.fields.push_back({"X-Request-Id", request_id});
}

void take_interim_head(const http::response_head& from, std::string_view upgrade, answer_head& to) {
    to.status = from.status;
    to.reason = from.reason;
    to.has_body = false;
    to.content_length.reset();
    to.fields.clear();
    take_end_to_end(from.fields, to);
    if (!upgrade.empty()) {
        to.fields.push_back({"Connection", "Upgrade"});
        to.fields.push_back({"Upgrade", upgrade});
    }
}

void write_interim_head(const answer_head& head, std::string& out) {
    append_status_and_fields(out, head);
    out.append("\r\n");
}

bool write_answer_head(const answer_head& head, std::string_view request_method, int version_minor,
                       bool keep_alive, std::string& out) {
    append_status_and_fields(out, head);
    const bool never_has_body = head.status == 204 || head.status == 304;
    bool chunked = false;
    if (head.content_length && (head.has_body || head.status != 204)) {
        append_number(out, "Content-Length", *head.content_length);
    } else if (head.has_body && version_minor > 0) {
        append_field(out, "Transfer-Encoding", "chunked");
        chunked = true;
    } else if (!head.has_body && !never_has_body && request_method != "HEAD") {
        append_number(out, "Content-Length", 0);
    }
    if (!keep_alive) {
        append_field(out, "Connection", "close");
    }
    out.append("\r\n");
    return chunked;
}

} // namespace relais::gateway
