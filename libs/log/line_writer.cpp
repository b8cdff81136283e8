#include "log/line_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace relais::log {
namespace {

using std::chrono::milliseconds;

bool is_regular_file(int descriptor) {
    struct stat about{};
    return ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

bool has_room(int descriptor, milliseconds wait_at_most) {
    pollfd asked{descriptor, POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&asked, 1, static_cast<int>(wait_at_most.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/// The lines that a pipe that has room takes without blocking; the beginning of the first when it
/// is longer than that.
std::string_view piece_of(std::string_view lines) {
    const auto most = lines.substr(0, PIPE_BUF);
    const auto end = most.size() == lines.size() ? most.size() - 1 : most.rfind('\n');
    return end == std::string_view::npos ? most : most.substr(0, end + 1);
}

} // namespace

line_writer::line_writer(int descriptor, milliseconds patience)
    : descriptor_(descriptor), patience_(patience), is_file_(is_regular_file(descriptor)) {}

bool line_writer::write(std::string_view line) {
    const std::lock_guard lock(mutex_);
    // What is left of a torn line must not make this one unreadable.
    const bool written =
        finish_line() && (torn_ ? write_all("\n" + std::string(line)) : write_all(line));
    if (!written) {
        lost_.fetch_add(1, std::memory_order_relaxed);
    }
    return written;
}

std::size_t line_writer::write_lines(std::string_view block, milliseconds wait_at_most) {
    // Waiting happens outside of the lock, so that the logger's own lines need not wait for ours.
    if (!has_room(descriptor_, wait_at_most)) {
        return 0;
    }
    const std::unique_lock lock(mutex_, std::max(wait_at_most, milliseconds(1)));
    if (!lock) {
        return 0;
    }
    rest_begin_ += write_block(std::string_view(rest_).substr(rest_begin_));
    if (rest_begin_ < rest_.size() || (torn_ && write_now("\n") == 0)) {
        return 0;
    }
    torn_ = false;
    std::size_t written = block.starts_with(rest_) ? rest_.size() : 0;
    rest_.clear();
    rest_begin_ = 0;
    written += write_block(block.substr(written));
    if (written > 0 && block[written - 1] != '\n') {
        rest_ = block.substr(written, block.find('\n', written) - written + 1);
    }
    return written;
}

/// Returns what there was room for, which may end within a line.
std::size_t line_writer::write_block(std::string_view lines) {
    std::size_t done = 0;
    while (done < lines.size()) {
        const std::size_t count = write_now(lines.substr(done));
        if (count == 0) {
            break;
        }
        done += count;
    }
    return done;
}

/// One write that does not wait for a reader. 0: there is no room, or the disc is full.
std::size_t line_writer::write_now(std::string_view lines) {
    ssize_t count = -1;
    if (is_file_) {
        count = ::write(descriptor_, lines.data(), lines.size());
    } else if (can_try_) {
        const iovec bytes{const_cast<char*>(lines.data()), lines.size()};
        count = ::pwritev2(descriptor_, &bytes, 1, -1, RWF_NOWAIT);
        can_try_ = count >= 0 || errno == EAGAIN || errno == EINTR || errno == EPIPE;
    }
    if (!is_file_ && !can_try_ && has_room(descriptor_, milliseconds(0))) {
        const auto piece = piece_of(lines);
        count = ::write(descriptor_, piece.data(), piece.size());
    }
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

/// False: a block's last line still lacks its end.
bool line_writer::finish_line() {
    while (rest_begin_ < rest_.size()) {
        const auto count =
            wait_for_room() ? write_now(std::string_view(rest_).substr(rest_begin_)) : 0;
        if (count == 0) {
            return false;
        }
        rest_begin_ += count;
    }
    return true;
}

bool line_writer::wait_for_room() {
    stuck_ = !has_room(descriptor_, stuck_ ? milliseconds(0) : patience_);
    return !stuck_;
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
