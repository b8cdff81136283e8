#include "notification/channels/mailjet_messages.hpp"

#include "http/json_writer.hpp"
#include "rest/outcome.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace relais::notification {
namespace {

namespace json = boost::json;
using ended_call = std::expected<rest::answer, rest::no_answer>;

void write_person(http::json_writer& out, const mailbox& person) {
    out.member("Email", person.address);
    if (!person.name.empty()) {
        out.member("Name", person.name);
    }
}

const json::value* member(const json::object& from, std::string_view name) {
    return from.if_contains(name);
}

/// A member's text; numbers too, because ids come as either.
std::string text_of(const json::object& from, std::string_view name) {
    const auto* const value = member(from, name);
    if (value == nullptr) {
        return {};
    }
    if (value->is_string()) {
        return std::string(value->get_string());
    }
    if (value->is_int64()) {
        return fmt::to_string(value->get_int64());
    }
    return value->is_uint64() ? fmt::to_string(value->get_uint64()) : std::string();
}

const json::array* array_of(const json::object& from, std::string_view name) {
    const auto* const value = member(from, name);
    return value == nullptr ? nullptr : value->if_array();
}

std::optional<json::object> parse_object(const std::string& body) {
    boost::system::error_code failed;
    auto value = json::parse(body, failed);
    if (failed || !value.is_object()) {
        return std::nullopt;
    }
    return std::move(value.get_object());
}

/// Codes that are about our account and not about the mail (notes: §1.4).
bool concerns_the_account(std::string_view code) {
    return code == "mj-0001" || code == "mj-0015" || code == "send-0006" || code == "send-0007" ||
           code == "send-0008";
}

send_outcome failed_item(const json::object& item) {
    send_outcome out;
    out.result = send_result::refused;
    out.reason = "mailjet-refused";
    const auto* const errors = array_of(item, "Errors");
    if (errors == nullptr || errors->empty() || !errors->front().is_object()) {
        return out;
    }
    const auto& first = errors->front().get_object();
    const auto code = text_of(first, "ErrorCode");
    if (!code.empty()) {
        out.reason = "mailjet-" + code;
    }
    if (concerns_the_account(code)) {
        out.result = send_result::channel_refused;
    } else if (text_of(first, "StatusCode").starts_with('5')) {
        out.result = send_result::provider_error;
    }
    return out;
}

send_outcome read_item(const json::value& value) {
    send_outcome out;
    const auto* const item = value.if_object();
    if (item == nullptr) {
        return {send_result::ambiguous, "", "mailjet-bad-answer", {}, {}};
    }
    auto status = text_of(*item, "Status");
    for (char& c : status) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    if (status != "success") {
        return failed_item(*item);
    }
    out.result = send_result::accepted;
    const auto* const to = array_of(*item, "To");
    if (to != nullptr && !to->empty() && to->front().is_object()) {
        out.provider_message_id = text_of(to->front().get_object(), "MessageID");
    }
    return out;
}

/// Everything but a list of results: the same for all mails of the call.
send_outcome read_whole(const ended_call& ended, const std::optional<json::object>& body) {
    send_outcome out;
    if (!ended) {
        const bool not_sent = ended.error().surely_not_sent;
        out.result = not_sent ? send_result::not_sent : send_result::ambiguous;
        out.reason = ended.error().reason.slug;
        return out;
    }
    const bool own_body = body && member(*body, "ErrorIdentifier") != nullptr;
    const auto code = body ? text_of(*body, "ErrorCode") : std::string();
    out.reason = code.empty() ? fmt::format("mailjet-{}", ended->status) : "mailjet-" + code;
    switch (rest::class_of(*ended, own_body)) {
    case rest::retry_class::retry_safe:
        out.result = send_result::throttled;
        out.wait = ended->retry_after();
        break;
    case rest::retry_class::provider_error:
        out.result = send_result::provider_error;
        break;
    case rest::retry_class::permanent_channel:
        out.result = send_result::channel_refused;
        break;
    case rest::retry_class::permanent_item:
        out.result =
            concerns_the_account(code) ? send_result::channel_refused : send_result::refused;
        break;
    case rest::retry_class::accepted: // without results: cut off, or a proxy's page
    case rest::retry_class::ambiguous:
        out.result = send_result::ambiguous;
        break;
    }
    return out;
}

} // namespace

std::string mailjet_request(std::span<const outgoing> batch, const mailbox& from) {
    http::json_writer out;
    out.begin_object();
    out.member("AdvanceErrorHandling", true);
    out.begin_object("Globals");
    out.begin_object("From");
    write_person(out, from);
    out.end_object();
    out.member("TrackOpens", "disabled").member("TrackClicks", "disabled");
    out.end_object();
    out.begin_array("Messages");
    for (const auto& one : batch) {
        const auto& mail = std::get<outgoing_mail>(one.content);
        out.begin_object();
        out.begin_array("To");
        out.begin_object();
        write_person(out, mail.to);
        out.end_object();
        out.end_array();
        out.member("Subject", mail.content.subject);
        out.member("TextPart", mail.content.text);
        out.member("HTMLPart", mail.content.html);
        out.member("CustomID", one.id);
        out.begin_object("Headers");
        out.member("Auto-Submitted", "auto-generated").member("Content-Language", mail.language);
        out.end_object();
        out.end_object();
    }
    out.end_array();
    out.end_object();
    return out.take();
}

mailjet_answer read_mailjet_answer(const ended_call& ended, std::size_t count) {
    const auto body = ended ? parse_object(ended->body) : std::nullopt;
    const auto* const items = body ? array_of(*body, "Messages") : nullptr;
    mailjet_answer out;
    if (items != nullptr && ended->status < 500 && items->size() == count) {
        for (const auto& item : *items) {
            out.outcomes.push_back(read_item(item));
        }
        return out;
    }
    const auto all = read_whole(ended, body);
    out.refused_as_a_whole = all.result == send_result::refused;
    out.outcomes.assign(count, all);
    return out;
}

look_up_outcome read_mailjet_look_up(const ended_call& ended) {
    using enum look_up_outcome::finding;
    if (!ended || ended->status != 200) {
        return {unknown, ""};
    }
    const auto body = parse_object(ended->body);
    const auto* const data = body ? array_of(*body, "Data") : nullptr;
    if (data == nullptr) {
        return {unknown, ""};
    }
    if (data->empty()) {
        return {not_there, ""};
    }
    const auto* const first = data->front().if_object();
    return {sent, first == nullptr ? std::string() : text_of(*first, "ID")};
}

} // namespace relais::notification
