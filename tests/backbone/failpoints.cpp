// What the failpoints of this program do, as RELAIS_FAILPOINT says: "NAME:ACTION[:COUNT]" with the
// action kill (SIGKILL), stop (SIGSTOP) or delay (50 ms), at the COUNT-th time the point is reached
// and, for delay, each time from then on.
#include "async/failpoint.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <string>
#include <string_view>

namespace {

constexpr int delay_ms = 50;

struct plan {
    std::string name;
    std::string action;
    int count = 1;
};

plan read_plan() {
    const char* given = std::getenv("RELAIS_FAILPOINT"); // NOLINT(concurrency-mt-unsafe)
    const std::string_view text = given == nullptr ? "" : given;
    const auto first = text.find(':');
    if (first == std::string_view::npos) {
        return {};
    }
    const auto second = text.find(':', first + 1);
    plan made{std::string(text.substr(0, first)),
              std::string(text.substr(first + 1, second - first - 1))};
    if (second != std::string_view::npos) {
        made.count = std::atoi(text.data() + second + 1);
    }
    return made;
}

} // namespace

extern "C" void relais_failpoint_reached(const char* name) {
    static const plan chosen = read_plan();
    static std::atomic<int> reached = 0;
    if (chosen.name != name || ++reached < chosen.count) {
        return;
    }
    if (chosen.action == "delay") {
        ::poll(nullptr, 0, delay_ms);
    } else if (reached == chosen.count) {
        std::raise(chosen.action == "stop" ? SIGSTOP : SIGKILL);
    }
}
