#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace relais::web_api {

/// Text that a person wrote and others will see in mails and pages. Nothing in it can end a header
/// line, hide other text or turn its direction: no control characters (C0, C1, DEL), no line and
/// paragraph separators, no bidirectional marks, embeddings, overrides and isolates (Unicode UAX
/// #9), no byte order mark. White space around it is dropped; what is left is not changed.
///
/// `text` is valid UTF-8 (the JSON reader sees to that); `max` counts code points.
/// Errors: `invalid` / "empty-text", "text-too-long", "forbidden-character".
result<std::string> single_line(std::string_view text, std::size_t max);

/// The same, but lines may end (CR LF and CR become LF) and tabs stay.
result<std::string> several_lines(std::string_view text, std::size_t max);

} // namespace relais::web_api
