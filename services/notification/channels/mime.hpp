#pragma once

#include "notification/channels/channel.hpp"

#include <string>
#include <string_view>

namespace relais::notification {

/// A mail as it goes over SMTP (RFC 5322, 2045–2047): multipart/alternative with text and HTML in
/// quoted-printable, CRLF, lines of at most 76 characters in the bodies. The Message-ID is made of
/// the delivery's id, so a repeat is recognisable as the same message.
std::string to_mime(const outgoing& message, const mailbox& from);

/// `<id@domain of from>`
std::string message_id(delivery_id id, const mailbox& from);

/// Quoted-printable (RFC 2045 §6.7) of text with LF or CRLF line ends.
std::string to_quoted_printable(std::string_view text);

/// A header value as encoded words (RFC 2047) when it has anything but printable ASCII.
std::string to_encoded_words(std::string_view text);

} // namespace relais::notification
