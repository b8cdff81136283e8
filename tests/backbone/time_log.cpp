#include "backbone/time_log.hpp"

#include <fstream>
#include <stdexcept>

namespace relais::backbone {

void time_log::note(const event_id& id, timestamp at) {
    const std::lock_guard lock(mutex_);
    entries_.emplace_back(id, at);
}

void time_log::save() const {
    if (!wanted()) {
        return;
    }
    std::ofstream out(path_, std::ios::binary);
    for (const auto& [id, at] : entries_) {
        const std::int64_t us = at.time_since_epoch().count();
        // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): a file of plain bytes
        out.write(reinterpret_cast<const char*>(id.value().bytes().data()), sizeof(uuid));
        out.write(reinterpret_cast<const char*>(&us), sizeof us);
        // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    }
    if (!out.flush()) {
        throw std::runtime_error("cannot write " + path_);
    }
}

} // namespace relais::backbone
