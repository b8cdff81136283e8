#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>

namespace relais::test {

/// A program of the build, as a process of its own with nothing in its environment but these
/// variables. Killed at the end.
class service_process {
public:
    service_process(const std::string& program, std::map<std::string, std::string> variables);
    ~service_process();
    service_process(const service_process&) = delete;
    service_process& operator=(const service_process&) = delete;

    /// SIGKILL, and waits for the end.
    void kill();

    /// SIGTERM, and waits for the end. Returns the exit code, or 128 + the signal.
    int stop();

private:
    int wait();
    pid_t child_ = 0;
};

/// A port of 127.0.0.1 that was free a moment ago.
std::uint16_t free_port();

} // namespace relais::test
