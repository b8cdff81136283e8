#include "ctl/command.hpp"
#include "ctl/databases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace relais::ctl {
namespace {

/// The handlers are the service's, so its program runs them: the one beside ours, with our
/// environment, in this process's place.
result<void> become(const std::string& command, std::span<const std::string> words) {
    const auto& known = services_with_database();
    if (words.empty() || std::ranges::find(known, words.front()) == known.end()) {
        return fail(error_kind::invalid, "usage",
                    fmt::format("the first word is a service: {}", fmt::join(known, ", ")));
    }
    std::error_code failed;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
    const auto program = self.parent_path() / ("relais-" + words.front());
    std::vector<std::string> texts{program.string(), command};
    texts.insert(texts.end(), words.begin() + 1, words.end());
    std::vector<char*> arguments;
    arguments.reserve(texts.size() + 1);
    for (auto& text : texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);
    std::fflush(stdout);
    execv(program.c_str(), arguments.data());
    return fail(error_kind::not_found, "no-such-program",
                fmt::format("{}: {}", program.string(), std::strerror(errno)));
}

} // namespace

command replay_command() {
    return {"replay",
            "replay SERVICE TOPIC [--name NAME --live [--by WHO] [--why TEXT]] [--from T|OFFSET] "
            "[--until T|OFFSET]"
            " [--partition N] [--key KEY] [--type TYPE] [--json]",
            "run events through a service's handlers once more; without --live nothing is kept and "
            "what would have changed is shown",
            [](const context&, std::span<const std::string> words) {
                return become("replay", words);
            }};
}

command drain_command() {
    return {"drain", "drain SERVICE",
            "run a service's consumer over what is there at the moment, then end",
            [](const context&, std::span<const std::string> words) {
                return become("drain", words);
            }};
}

} // namespace relais::ctl
