#pragma once

#include <string_view>

namespace relais::upload {

/// The content type that the first bytes say, of the pictures we accept anywhere; empty for
/// anything else. Not proof (polyglots pass): the decoder must agree, and only what it decoded is
/// shown.
std::string_view content_type_of(std::string_view bytes);

} // namespace relais::upload
