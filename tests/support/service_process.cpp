#include "support/service_process.hpp"

#include "support/environment.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <cstdint>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace relais::test {

service_process::service_process(const std::string& program,
                                 std::map<std::string, std::string> variables) {
    // Sanitizers say what they find on standard error, which stays ours.
    variables.emplace("ASAN_OPTIONS", "detect_leaks=0");
    std::vector<std::string> pairs;
    for (const auto& [name, value] : variables) {
        pairs.push_back(name + "=" + value);
    }
    std::vector<char*> environment;
    for (auto& pair : pairs) {
        environment.push_back(pair.data());
    }
    environment.push_back(nullptr);
    std::string path = build_dir() + "/bin/" + program;
    std::vector<char*> arguments{path.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    const int failed = ::posix_spawn(&child_, path.c_str(), &actions, nullptr, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::system_error(failed, std::generic_category(), path);
    }
}

service_process::~service_process() {
    kill();
}

void service_process::kill() {
    if (child_ > 0) {
        ::kill(child_, SIGKILL);
        wait();
    }
}

int service_process::stop() {
    ::kill(child_, SIGTERM);
    return wait();
}

int service_process::wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::uint16_t free_port() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    const bool bound =
        ::bind(listener, raw, length) == 0 && ::getsockname(listener, raw, &length) == 0;
    ::close(listener);
    if (!bound) {
        throw std::system_error(errno, std::generic_category(), "bind");
    }
    return ntohs(address.sin_port);
}

} // namespace relais::test
