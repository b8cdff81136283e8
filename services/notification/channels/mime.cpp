#include "notification/channels/mime.hpp"

#include "clock/rfc3339.hpp"
#include "notification/channels/base64.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::notification {
namespace {

constexpr std::size_t line_max = 76;
constexpr std::size_t word_bytes_max = 45; // 60 in Base64, 72 with "=?UTF-8?B?" and "?="

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c >= 32 && c < 127; });
}

/// The longest beginning of at most `max` bytes that does not cut a character.
std::string_view whole_characters(std::string_view text, std::size_t max) {
    auto end = std::min(max, text.size());
    while (end > 0 && end < text.size() &&
           (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end == 0 ? std::min(max, text.size()) : end);
}

std::string to_header(const mailbox& person) {
    if (person.name.empty()) {
        return person.address;
    }
    if (!is_plain(person.name)) {
        return fmt::format("{} <{}>", to_encoded_words(person.name), person.address);
    }
    std::string quoted;
    for (const char c : person.name) {
        if (c == '"' || c == '\\') {
            quoted.push_back('\\');
        }
        quoted.push_back(c);
    }
    return fmt::format("\"{}\" <{}>", quoted, person.address);
}

/// RFC 5322 §3.3 wants a numeric zone.
std::string to_mail_date(timestamp time) {
    auto text = to_http_date(time);
    text.replace(text.size() - 3, 3, "+0000");
    return text;
}

void append_part(std::string& out, std::string_view boundary, std::string_view type,
                 std::string_view body) {
    out += fmt::format("--{}\r\nContent-Type: {}; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                       boundary, type);
    out += to_quoted_printable(body);
    out += "\r\n";
}

} // namespace

std::string to_quoted_printable(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    const auto put = [&](std::string_view piece) {
        if (column + piece.size() > line_max - 1) { // room for the soft break's "="
            out += "=\r\n";
            column = 0;
        }
        out += piece;
        column += piece.size();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r') {
            continue;
        }
        if (c == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
        const bool blank_inside = (c == ' ' || c == '\t') && !ends_line;
        // A point at the beginning of a line would be doubled by SMTP; some relays forget to undo
        // it.
        const bool leading_point = c == '.' && column == 0;
        if ((byte > 32 && byte < 127 && c != '=' && !leading_point) || blank_inside) {
            put(text.substr(i, 1));
        } else {
            put(fmt::format("={:02X}", byte));
        }
    }
    return out;
}

std::string to_encoded_words(std::string_view text) {
    if (is_plain(text)) {
        return std::string(text);
    }
    std::string out;
    while (!text.empty()) {
        const auto piece = whole_characters(text, word_bytes_max);
        text.remove_prefix(piece.size());
        if (!out.empty()) {
            out += "\r\n ";
        }
        out += fmt::format("=?UTF-8?B?{}?=", to_base64(piece));
    }
    return out;
}

std::string message_id(delivery_id id, const mailbox& from) {
    return fmt::format("<{}@{}>", id.text(), domain_of(from.address));
}

std::string to_mime(const outgoing& message, const mailbox& from) {
    const auto& mail = std::get<outgoing_mail>(message.content);
    const auto boundary =
        fmt::format("=_{}", message.id.text()); // cannot occur in quoted-printable
    std::string out = fmt::format("Date: {}\r\nFrom: {}\r\nTo: {}\r\nMessage-ID: {}\r\n",
                                  to_mail_date(message.made_at), to_header(from),
                                  to_header(mail.to), message_id(message.id, from));
    out += fmt::format("Subject: {}\r\n", to_encoded_words(mail.content.subject));
    out += fmt::format("Auto-Submitted: auto-generated\r\nContent-Language: {}\r\n"
                       "X-MJ-CustomID: {}\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n",
                       mail.language, message.id.text(), boundary);
    append_part(out, boundary, "text/plain", mail.content.text);
    append_part(out, boundary, "text/html", mail.content.html);
    out += fmt::format("--{}--\r\n", boundary);
    return out;
}

} // namespace relais::notification
