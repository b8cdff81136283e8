#include "log/line_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace relais::log {

line_writer::line_writer(int descriptor, std::chrono::milliseconds patience)
    : descriptor_(descriptor), patience_(patience) {}

bool line_writer::write(std::string_view line) {
    // What is left of a torn line must not make this one unreadable.
    const bool written = torn_ ? write_all("\n" + std::string(line)) : write_all(line);
    if (!written) {
        lost_.fetch_add(1, std::memory_order_relaxed);
    }
    return written;
}

bool line_writer::wait_for_room() {
    pollfd asked{descriptor_, POLLOUT, 0};
    const int limit = stuck_ ? 0 : static_cast<int>(patience_.count());
    int ready = 0;
    do {
        ready = poll(&asked, 1, limit);
    } while (ready < 0 && errno == EINTR);
    stuck_ = ready == 0;
    return ready > 0;
}

bool line_writer::write_all(std::string_view bytes) {
    const std::size_t size = bytes.size();
    while (!bytes.empty()) {
        if (!wait_for_room()) {
            torn_ = torn_ || bytes.size() < size;
            return false;
        }
        // A pipe that has room takes this much without blocking, and not more.
        const auto piece = std::min<std::size_t>(bytes.size(), PIPE_BUF);
        const ssize_t count = ::write(descriptor_, bytes.data(), piece);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            torn_ = torn_ || bytes.size() < size;
            return false;
        }
        bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    torn_ = false;
    return true;
}

} // namespace relais::log
