#pragma once

#include "result/result.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

// Internal: the system calls of takeover.cpp.
namespace relais::host {

/// A message, and the descriptors that came with it; the caller owns them.
struct socket_message {
    std::string text;
    std::vector<int> descriptors;
};

/// Descriptor of a socket that listens at the path, mode 0600, in place of what is there.
result<int> listen_at(const std::string& path);

/// Descriptor of a connection; -1: nobody listens there.
result<int> connect_to(const std::string& path);

/// Reading and writing give up after this long.
void limit_waiting(int descriptor, std::chrono::seconds at_most);

bool send_message(int to, std::string_view text, const std::vector<int>& descriptors = {});

/// Empty text: the other side is gone, or has said nothing in time.
socket_message receive_message(int from);

/// Whether the other side runs as this process's user.
bool is_own_user(int connection);

} // namespace relais::host
