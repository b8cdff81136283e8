#include "upload/domain/magic.hpp"

using namespace std::string_view_literals;

namespace relais::upload {

std::string_view content_type_of(std::string_view bytes) {
    if (bytes.starts_with("\xff\xd8\xff"sv)) {
        return "image/jpeg";
    }
    if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) {
        return "image/png";
    }
    if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) {
        return "image/gif";
    }
    if (bytes.size() >= 12 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv) {
        return "image/webp";
    }
    return {};
}

} // namespace relais::upload
