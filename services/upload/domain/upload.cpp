#include "upload/domain/upload.hpp"

#include "upload/domain/magic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::upload {
namespace {

constexpr std::size_t sha256_hex_size = 64;

bool is_lower_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

} // namespace

std::string_view waits_for(upload_state state, const std::optional<open_work>& work) {
    if (is_final(state)) {
        return "";
    }
    if (!work) {
        return state == upload_state::granted ? "file" : "processing";
    }
    return work->last_error.starts_with("objectstore-") ? "object-store" : "processing";
}

std::vector<error> check_announcement(const upload::purpose& purpose, const announced_file& file) {
    std::vector<error> out;
    if (!allows_type(purpose, file.content_type)) {
        out.push_back({error_kind::invalid, "unsupported-type",
                       fmt::format("one of {}", fmt::join(purpose.content_types, ", ")),
                       "/content_type", std::nullopt});
    }
    if (file.size_bytes > purpose.size_max) {
        out.push_back({error_kind::too_large, "file-too-large",
                       fmt::format("at most {} bytes", purpose.size_max), "/size_bytes",
                       std::nullopt});
    }
    if (!file.sha256.empty() &&
        (file.sha256.size() != sha256_hex_size || !is_lower_hex(file.sha256))) {
        out.push_back({error_kind::invalid, "invalid-sha256", "64 lower-case hexadecimal digits",
                       "/sha256", std::nullopt});
    }
    return out;
}

std::string reason_against(const announced_file& announced, std::string_view bytes,
                           std::string_view sha256_hex) {
    if (bytes.empty()) {
        return "empty";
    }
    if (bytes.size() != announced.size_bytes) {
        return "wrong-size";
    }
    if (!announced.sha256.empty() && announced.sha256 != sha256_hex) {
        return "wrong-checksum";
    }
    const auto found = content_type_of(bytes);
    if (found.empty()) {
        return "not-an-image";
    }
    if (found != announced.content_type) {
        return "type-mismatch";
    }
    return is_something_else_too(bytes) ? "polyglot" : "";
}

} // namespace relais::upload
