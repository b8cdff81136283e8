#include "upload/domain/object_key.hpp"

#include <fmt/format.h>

namespace relais::upload {
namespace {

constexpr std::string_view staging_prefix = "staging/";
constexpr std::size_t date_size = 10;

} // namespace

std::string staging_key(upload_id upload, timestamp granted_at) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(granted_at));
    return fmt::format("{}{:04}-{:02}-{:02}/{}", staging_prefix, int(date.year()),
                       unsigned(date.month()), unsigned(date.day()), upload.text());
}

std::optional<upload_id> upload_of_staging_key(std::string_view key) {
    if (!key.starts_with(staging_prefix)) {
        return std::nullopt;
    }
    key.remove_prefix(staging_prefix.size());
    if (key.size() <= date_size || key[date_size] != '/') {
        return std::nullopt;
    }
    const auto parsed = upload_id::parse(key.substr(date_size + 1));
    if (!parsed) {
        return std::nullopt;
    }
    return *parsed;
}

std::string variant_key(std::string_view sha256, std::string_view recipe_name, std::uint32_t size) {
    return fmt::format("v/{}/{}/{}-{}.webp", sha256.substr(0, 2), sha256, recipe_name, size);
}

} // namespace relais::upload
