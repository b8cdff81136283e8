#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace relais::log {

/// Writes whole lines to a descriptor whose disc may be full and whose reader may be slow or gone.
/// A line that cannot be written is lost and counted; the next one is tried anew, so that writing
/// goes on by itself once there is room. Waits for a slow reader, but at most `patience`, and not
/// again before it has read something: the end of a process must not depend on its reader.
/// One thread writes; lost() is for any.
class line_writer {
public:
    explicit line_writer(int descriptor,
                         std::chrono::milliseconds patience = std::chrono::seconds(1));

    /// The line with its newline. False: it is lost.
    bool write(std::string_view line);

    std::uint64_t lost() const {
        return lost_.load(std::memory_order_relaxed);
    }

private:
    bool wait_for_room();
    bool write_all(std::string_view bytes);

    int descriptor_;
    std::chrono::milliseconds patience_;
    bool stuck_ = false; ///< the reader used up our patience and has not read since
    bool torn_ = false;  ///< the last line's beginning is there, its end is not
    std::atomic<std::uint64_t> lost_{0};
};

} // namespace relais::log
