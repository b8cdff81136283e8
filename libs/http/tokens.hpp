#pragma once

#include <string_view>

namespace relais::http {

/// Whether the byte may stand in a method or a field name (RFC 9110 §5.6.2: tchar).
bool is_token_byte(unsigned char byte);

/// Not empty and only token bytes.
bool is_token(std::string_view text);

/// Whether the text may stand in a field value: no control characters but HTAB (RFC 9110 §5.5).
bool is_field_value(std::string_view text);

/// Compares ASCII letters without case: names of fields, members of Connection.
bool equal_names(std::string_view a, std::string_view b);

/// Takes the next member off a comma separated list (RFC 9110 §5.6.1), without surrounding blanks;
/// false when the list is used up. Empty members are skipped.
bool next_list_member(std::string_view& list, std::string_view& member);

/// Whether a comma separated list has this member, without case.
bool list_has(std::string_view list, std::string_view member);

/// Without the spaces and tabs around it.
std::string_view trim_blanks(std::string_view text);

} // namespace relais::http
