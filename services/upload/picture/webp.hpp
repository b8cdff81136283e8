#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relais::upload {

/// A still WebP picture with nothing but its pixels: no EXIF, no XMP, no colour profile, no unknown
/// chunk (WebP Container Specification). libvips 8.14 writes EXIF and the profile even when it is
/// told to strip them, so metadata is removed here and not by an option. nullopt when the bytes are
/// not one still picture.
std::optional<std::string> without_metadata(std::string_view webp);

/// Whether without_metadata() would change nothing.
bool is_bare_webp(std::string_view webp);

} // namespace relais::upload
