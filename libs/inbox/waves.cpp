#include "inbox/waves.hpp"

#include <algorithm>
#include <iterator>

namespace relais::inbox {

void waves::add(std::size_t index, std::string_view key, const handling& with) {
    const auto wave = seen_[key]++;
    if (wave == waves_.size()) {
        waves_.emplace_back();
    }
    auto& parts = waves_[wave];
    auto part = std::ranges::find(parts, &with, &wave_part::with);
    if (part == parts.end()) {
        part = parts.insert(parts.end(), {.with = &with, .events = {}});
    }
    part->events.push_back(index);
}

std::vector<wave_part> waves::take() {
    std::vector<wave_part> all;
    for (auto& wave : waves_) {
        std::ranges::move(wave, std::back_inserter(all));
    }
    waves_.clear();
    seen_.clear();
    return all;
}

} // namespace relais::inbox
