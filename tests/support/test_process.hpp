#pragma once

#include <map>
#include <string>
#include <sys/types.h>

namespace relais::test {

/// This test binary once more, as a process of its own that runs one (hidden) test case: for tests
/// that kill it. Killed at the end.
class test_process {
public:
    /// selection: a Catch2 test specification; variables are added to the environment.
    test_process(const std::string& selection, const std::map<std::string, std::string>& variables);
    ~test_process();
    test_process(const test_process&) = delete;
    test_process& operator=(const test_process&) = delete;

    /// SIGKILL, and waits for the end.
    void kill();

    /// SIGSTOP, SIGCONT …
    void send(int signal) const;

    /// Whether it ended by itself.
    bool ended();

private:
    pid_t child_ = 0;
};

} // namespace relais::test
