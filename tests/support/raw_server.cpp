#include "support/raw_server.hpp"

#include <fmt/format.h>

#include <charconv>
#include <poll.h>
#include <sys/socket.h>

namespace relais::test {
namespace {

/// The length of the first whole request in the buffer, or 0.
std::size_t whole_request(const std::string& buffer) {
    const auto head = buffer.find("\r\n\r\n");
    if (head == std::string::npos) {
        return 0;
    }
    std::size_t length = 0;
    const auto field = buffer.find("Content-Length:");
    if (field != std::string::npos && field < head) {
        const auto digits = buffer.find_first_not_of(' ', field + 15);
        std::from_chars(buffer.data() + digits, buffer.data() + head, length);
    }
    const auto size = head + 4 + length;
    return buffer.size() >= size ? size : 0;
}

/// A byte every 20 ms until the other side closes.
void drip(int connection, const std::string& bytes, const loopback_server& of) {
    for (std::size_t i = 0; !of.stopping(); ++i) {
        if (::send(connection, &bytes[i % bytes.size()], 1, MSG_NOSIGNAL) <= 0) {
            return;
        }
        pollfd closed{connection, POLLRDHUP, 0};
        if (::poll(&closed, 1, 20) > 0) {
            return;
        }
    }
}

} // namespace

raw_server::raw_server(std::function<step(int)> script)
    : script_(std::move(script)),
      server_([this](int connection) { serve(connection); }, loopback_server::turns::one_by_one) {}

std::string raw_server::url() const {
    return fmt::format("http://127.0.0.1:{}", port());
}

std::vector<std::string> raw_server::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void raw_server::serve(int connection) {
    ++connections_;
    std::string buffer;
    while (true) {
        std::size_t size = whole_request(buffer);
        while (size == 0) {
            char bytes[4096];
            const auto count = ::recv(connection, bytes, sizeof(bytes), 0);
            if (count <= 0) {
                return;
            }
            buffer.append(bytes, static_cast<std::size_t>(count));
            size = whole_request(buffer);
        }
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(buffer.substr(0, size));
        }
        buffer.erase(0, size);
        const auto next = script_(++count_);
        if (next.drip) {
            drip(connection, next.answer, server_);
            return;
        }
        write_all(connection, next.answer);
        if (next.reset) {
            const linger at_once{1, 0};
            ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        }
        if (next.close || next.reset) {
            return;
        }
    }
}

} // namespace relais::test
