#include "support/answering_server.hpp"

#include <fmt/format.h>

#include <sys/socket.h>

namespace relais::test {
answering_server::answering_server(script answer)
    : answer_(std::move(answer)), server_([this](int connection) { serve(connection); }) {}

void answering_server::serve(int connection) {
    std::string buffer;
    while (!server_.stopping()) {
        const auto end = buffer.find("\r\n\r\n");
        if (end == std::string::npos) {
            char bytes[4096];
            const auto count = ::recv(connection, bytes, sizeof(bytes), 0);
            if (count <= 0) {
                break;
            }
            buffer.append(bytes, static_cast<std::size_t>(count));
            continue;
        }
        const auto request = buffer.substr(0, end + 4);
        buffer.erase(0, end + 4);
        if (request.starts_with("GET /readyz ")) {
            write_all(connection, answer_text("", "ready"));
            continue;
        }
        ++requests_;
        answer_(request,
                [connection](const std::string& part) { return write_all(connection, part); });
    }
}

std::string answer_text(const std::string& fields, const std::string& body,
                        const std::string& status) {
    return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, fields, body.size(),
                       body);
}

std::string field_of(const std::string& answer, const std::string& name) {
    const auto head = answer.substr(0, answer.find("\r\n\r\n") + 2);
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) {
        return "";
    }
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string body_of(const std::string& answer) {
    const auto head = answer.find("\r\n\r\n");
    if (head == std::string::npos) {
        return "";
    }
    auto rest = answer.substr(head + 4);
    if (field_of(answer, "Transfer-Encoding") != "chunked") {
        return rest;
    }
    std::string out;
    for (std::size_t at = 0; at < rest.size();) {
        const auto line = rest.find("\r\n", at);
        const auto size = std::stoul(rest.substr(at, line - at), nullptr, 16);
        out += rest.substr(line + 2, size);
        at = line + 2 + size + 2;
        if (size == 0) {
            break;
        }
    }
    return out;
}

} // namespace relais::test
