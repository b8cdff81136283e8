#pragma once

#include <boost/json/parse.hpp>

#include <array>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace relais::test {

/// A pipe that a log writes to, and what is read from it, line by line.
class log_pipe {
public:
    /// `bytes`: room in the pipe; at least a page.
    explicit log_pipe(int bytes = 65'536) {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0 || ::fcntl(ends_[1], F_SETPIPE_SZ, bytes) < 0) {
            throw std::runtime_error("no pipe");
        }
    }

    ~log_pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    log_pipe(const log_pipe&) = delete;
    log_pipe& operator=(const log_pipe&) = delete;

    int writing_end() const {
        return ends_[1];
    }

    /// Waits for so many whole lines, at most ten seconds, and takes all that came.
    std::vector<std::string> read_lines(std::size_t at_least) {
        while (lines_.size() < at_least && read_more(10'000)) {}
        return std::exchange(lines_, {});
    }

    /// What is in the pipe now.
    std::vector<std::string> read_what_is_there() {
        while (read_more(0)) {}
        return std::exchange(lines_, {});
    }

private:
    bool read_more(int wait_ms) {
        pollfd asked{ends_[0], POLLIN, 0};
        if (::poll(&asked, 1, wait_ms) <= 0) {
            return false;
        }
        std::array<char, 65'536> bytes{};
        const auto count = ::read(ends_[0], bytes.data(), bytes.size());
        rest_.append(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
        std::size_t begin = 0;
        for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
            lines_.push_back(rest_.substr(begin, end - begin));
            begin = end + 1;
        }
        rest_.erase(0, begin);
        return count > 0;
    }

    std::array<int, 2> ends_{};
    std::string rest_; ///< a line that is not yet whole
    std::vector<std::string> lines_;
};

/// Throws for what is no JSON object.
inline boost::json::object parse_line(std::string_view line) {
    return boost::json::parse({line.data(), line.size()}).as_object();
}

} // namespace relais::test
