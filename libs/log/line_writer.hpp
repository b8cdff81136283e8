#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace relais::log {

/// Writes whole lines to a descriptor whose disc may be full and whose reader may be slow or gone.
/// A line that cannot be written is lost and counted; the next one is tried anew, so that writing
/// goes on by itself once there is room. Waits for a slow reader, but at most `patience`, and not
/// again before it has read something: the end of a process must not depend on its reader.
/// Thread-safe: lines of several threads do not mix.
class line_writer {
public:
    explicit line_writer(int descriptor,
                         std::chrono::milliseconds patience = std::chrono::seconds(1));

    /// The line with its newline. False: it is lost.
    bool write(std::string_view line);

    /// As much of the block's lines as there is room for, in few writes; each ends with a newline.
    /// Waits at most so long for the first to find room. Returns the bytes that are written; the
    /// caller may offer the rest again. They may end within a line, whose end then goes before
    /// whatever is written next, by whomever.
    std::size_t write_lines(std::string_view block, std::chrono::milliseconds wait_at_most);

    std::uint64_t lost() const {
        return lost_.load(std::memory_order_relaxed);
    }

private:
    bool wait_for_room();
    bool write_all(std::string_view bytes);
    bool finish_line();
    std::size_t write_now(std::string_view lines);
    std::size_t write_block(std::string_view lines);

    int descriptor_;
    std::chrono::milliseconds patience_;
    bool is_file_;
    bool can_try_ = true; ///< the kernel writes to this descriptor as much as there is room for
    std::timed_mutex mutex_;
    std::string rest_;           ///< the end of a block's line whose beginning was written
    std::size_t rest_begin_ = 0; ///< of it, this is written, too
    bool stuck_ = false;         ///< the reader used up our patience and has not read since
    bool torn_ = false;          ///< the last line's beginning is there, its end is lost
    std::atomic<std::uint64_t> lost_{0};
};

} // namespace relais::log
