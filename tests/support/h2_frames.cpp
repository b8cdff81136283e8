#include "support/h2_frames.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace relais::test::h2 {
namespace {

std::uint32_t read_number(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char byte : bytes) {
        value = value << 8U | static_cast<std::uint8_t>(byte);
    }
    return value;
}

/// A string literal without Huffman coding (RFC 7541 §5.2).
void append_literal(std::string& out, std::string_view text) {
    if (text.size() < 127) {
        out += static_cast<char>(text.size());
    } else {
        out += '\x7f';
        auto rest = text.size() - 127;
        for (; rest >= 128; rest /= 128) {
            out += static_cast<char>(128 + rest % 128);
        }
        out += static_cast<char>(rest);
    }
    out += text;
}

} // namespace

std::string number(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xffU);
    }
    return out;
}

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
    std::string out = number(static_cast<std::uint32_t>(payload.size())).substr(1);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    out += number(stream);
    out += payload;
    return out;
}

std::string block(const field_list& fields) {
    std::string out;
    for (const auto& [name, value] : fields) {
        out += '\0';
        append_literal(out, name);
        append_literal(out, value);
    }
    return out;
}

field_list request(const std::string& path, const std::string& method) {
    return {{":method", method}, {":scheme", "http"}, {":authority", "a"}, {":path", path}};
}

std::string hello() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0, "");
}

std::string get(std::uint32_t stream, const std::string& path) {
    return frame(headers, end_stream | end_headers, stream, block(request(path)));
}

std::uint32_t received_frame::error_code() const {
    return read_number(std::string_view(payload).substr(type == goaway ? 4 : 0, 4));
}

bool take_frame(std::string& buffer, received_frame& out) {
    constexpr std::size_t head = 9;
    if (buffer.size() < head) {
        return false;
    }
    const std::size_t length = read_number(std::string_view(buffer).substr(0, 3));
    if (buffer.size() < head + length) {
        return false;
    }
    out.type = static_cast<std::uint8_t>(buffer[3]);
    out.flags = static_cast<std::uint8_t>(buffer[4]);
    out.stream = read_number(std::string_view(buffer).substr(5, 4));
    out.payload = buffer.substr(head, length);
    buffer.erase(0, head + length);
    return true;
}

raw_client::raw_client(int socket) : socket_(socket) {
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

raw_client::~raw_client() {
    ::close(socket_);
}

bool raw_client::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool raw_client::read_some() {
    char bytes[16384];
    const auto count = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (count <= 0) {
        return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
}

bool raw_client::next(received_frame& out) {
    while (!take_frame(buffer_, out)) {
        if (!read_some()) {
            return false;
        }
    }
    return true;
}

bool raw_client::next_of(std::uint8_t type, received_frame& out, std::uint32_t stream) {
    while (next(out)) {
        if (out.type == type && (stream == 0 || out.stream == stream)) {
            return true;
        }
    }
    return false;
}

std::int64_t raw_client::goaway_code() {
    std::int64_t code = -1;
    received_frame each;
    while (next(each)) {
        if (each.type == goaway) {
            code = each.error_code();
        }
    }
    return code;
}

bool raw_client::closed_by_peer() {
    while (read_some()) {}
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET || errno == ENOTCONN;
}

int connect_to(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(made);
        throw std::runtime_error("no connection to port " + std::to_string(port));
    }
    return made;
}

} // namespace relais::test::h2
