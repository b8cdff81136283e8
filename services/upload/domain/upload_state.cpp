#include "upload/domain/upload_state.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relais::upload {
namespace {

constexpr std::array names{
    std::pair{upload_state::granted, std::string_view("granted")},
    std::pair{upload_state::uploaded, std::string_view("uploaded")},
    std::pair{upload_state::verifying, std::string_view("verifying")},
    std::pair{upload_state::ready, std::string_view("ready")},
    std::pair{upload_state::rejected, std::string_view("rejected")},
    std::pair{upload_state::expired, std::string_view("expired")},
};

constexpr std::array arrows{
    std::pair{upload_state::granted, upload_state::uploaded},
    std::pair{upload_state::granted, upload_state::expired},
    std::pair{upload_state::uploaded, upload_state::verifying},
    std::pair{upload_state::verifying, upload_state::ready},
    std::pair{upload_state::verifying, upload_state::rejected},
};

} // namespace

bool may_follow(upload_state from, upload_state to) {
    return std::ranges::find(arrows, std::pair{from, to}) != arrows.end();
}

bool is_final(upload_state state) {
    return std::ranges::none_of(arrows,
                                [state](const auto& arrow) { return arrow.first == state; });
}

std::string_view to_string(upload_state state) {
    return names.at(static_cast<std::size_t>(state)).second;
}

std::optional<upload_state> parse_upload_state(std::string_view word) {
    const auto found =
        std::ranges::find_if(names, [word](const auto& entry) { return entry.second == word; });
    if (found == names.end()) {
        return std::nullopt;
    }
    return found->first;
}

} // namespace relais::upload
