#pragma once

#include <string_view>

namespace relais::upload {

/// The content type that the first bytes say, of the pictures we accept anywhere; empty for
/// anything else. Not proof: the decoder must agree, and only what it decoded is shown.
std::string_view content_type_of(std::string_view bytes);

/// Whether another program would read the same bytes as a PDF, a page, a script or a ZIP archive:
/// polyglots are made to be one thing for us and another for whoever opens them. What cameras
/// append (a second picture, a film) is none of these.
bool is_something_else_too(std::string_view bytes);

} // namespace relais::upload
