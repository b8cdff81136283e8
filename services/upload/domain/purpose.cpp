#include "upload/domain/purpose.hpp"

#include <algorithm>

namespace relais::upload {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1024} * 1024;
constexpr std::uint64_t pixels_max = 50'000'000;

} // namespace

const std::vector<purpose>& all_purposes() {
    static const std::vector<purpose> all{
        {"avatar",
         {"image/jpeg", "image/png", "image/webp", "image/gif"},
         10 * mebibyte,
         "avatar1",
         {"", pixels_max, true, 80, {64, 256, 512}}},
        {"job-picture",
         {"image/jpeg", "image/png", "image/webp"},
         20 * mebibyte,
         "job-picture1",
         {"", pixels_max, false, 80, {320, 960, 1920}}},
    };
    return all;
}

const purpose* find_purpose(std::string_view name) {
    const auto found = std::ranges::find(all_purposes(), name, &purpose::name);
    return found == all_purposes().end() ? nullptr : &*found;
}

bool allows_type(const purpose& what, std::string_view content_type) {
    return std::ranges::find(what.content_types, content_type) != what.content_types.end();
}

} // namespace relais::upload
