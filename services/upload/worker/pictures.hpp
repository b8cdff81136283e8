#pragma once

#include "upload/picture/frames.hpp"

namespace relais::upload {

/// Starts libvips for strangers' bytes: decoders of JPEG, PNG, WebP and GIF only, one thread, no
/// cache, no modules from disc, no code generated at run time. Once per process. Throws
/// std::runtime_error.
void start_pictures();

/// Decodes, turns upright, converts to sRGB, cuts and writes WebP without any metadata. Reasons:
/// "undecodable", "type-mismatch" (the decoder read another type), "too-many-frames" and
/// "too-many-pixels" (both known before any pixel is decoded).
picture_answer make_variants(const picture_request& request);

} // namespace relais::upload
