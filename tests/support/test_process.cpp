#include "support/test_process.hpp"

#include "config/reader.hpp"

#include <cerrno>
#include <csignal>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <vector>

namespace relais::test {

test_process::test_process(const std::string& selection,
                           const std::map<std::string, std::string>& variables) {
    auto all = config::process_environment();
    for (const auto& [name, value] : variables) {
        all[name] = value;
    }
    std::vector<std::string> pairs;
    for (const auto& [name, value] : all) {
        pairs.push_back(name + "=" + value);
    }
    std::vector<char*> environment;
    for (auto& pair : pairs) {
        environment.push_back(pair.data());
    }
    environment.push_back(nullptr);
    std::string program = "/proc/self/exe";
    std::string chosen = selection;
    std::vector<char*> arguments{program.data(), chosen.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    const int failed = ::posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::system_error(failed, std::generic_category(), "posix_spawn");
    }
}

test_process::~test_process() {
    kill();
}

void test_process::kill() {
    if (child_ > 0) {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        child_ = 0;
    }
}

void test_process::send(int signal) const {
    if (child_ > 0) {
        ::kill(child_, signal);
    }
}

bool test_process::ended() {
    if (child_ > 0 && ::waitpid(child_, nullptr, WNOHANG) == child_) {
        child_ = 0;
    }
    return child_ == 0;
}

} // namespace relais::test
