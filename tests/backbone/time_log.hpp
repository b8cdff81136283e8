#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace relais::backbone {

/// When something happened to an event. Kept in memory and written at the end, so that measuring
/// costs little: 16 bytes of the id and 8 bytes of microseconds since 1970 in the machine's order.
/// Thread-safe.
class time_log {
public:
    /// An empty path: nothing is kept.
    explicit time_log(std::string path) : path_(std::move(path)) {}

    bool wanted() const {
        return !path_.empty();
    }

    void note(const event_id& id, timestamp at);

    /// Writes the file; throws std::runtime_error.
    void save() const;

private:
    std::string path_;
    std::mutex mutex_;
    std::vector<std::pair<event_id, timestamp>> entries_;
};

} // namespace relais::backbone
