#include "ctl/command.hpp"

#include "host/process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace relais::ctl {
namespace {

void print_help(std::FILE* to) {
    fmt::print(to, "relaisctl: one-off operations on a Relais suite\n\n");
    for (const auto& each : all_commands()) {
        fmt::print(to, "  {}\n      {}\n", each.usage, each.summary);
    }
    fmt::print(to, "  help, --version\n");
    fmt::print(to, "\nConfiguration comes from the same environment variables as the services'.\n");
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

} // namespace

result<arguments> arguments::parse(std::span<const std::string> words,
                                   const std::vector<std::string>& options,
                                   const std::vector<std::string>& flags) {
    arguments out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        if (!word.starts_with("--")) {
            out.rest_.push_back(word);
        } else if (contains(flags, word)) {
            out.given_.emplace_back(word, "");
        } else if (contains(options, word) && i + 1 < words.size()) {
            out.given_.emplace_back(word, words[++i]);
        } else if (contains(options, word)) {
            return fail(error_kind::invalid, "usage", fmt::format("{} wants a value", word));
        } else {
            return fail(error_kind::invalid, "usage", fmt::format("unknown option {}", word));
        }
    }
    return out;
}

bool arguments::has(std::string_view flag) const {
    return std::ranges::any_of(given_, [flag](const auto& each) { return each.first == flag; });
}

std::optional<std::string> arguments::value(std::string_view option) const {
    const auto all = values(option);
    return all.empty() ? std::nullopt : std::optional(all.back());
}

std::vector<std::string> arguments::values(std::string_view option) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : given_) {
        if (name == option) {
            out.push_back(value);
        }
    }
    return out;
}

int run(const context& where, std::span<const std::string> words) {
    const std::string name = words.empty() ? std::string() : words.front();
    if (name == "--version") {
        fmt::print("relaisctl {}\n", host::version());
        return 0;
    }
    if (name == "help" || name == "--help" || name == "-h") {
        print_help(stdout);
        return 0;
    }
    for (const auto& each : all_commands()) {
        if (each.name != name) {
            continue;
        }
        if (words.size() > 1 && words[1] == "--help") {
            fmt::print("usage: relaisctl {}\n{}\n", each.usage, each.summary);
            return 0;
        }
        const auto done = each.run(where, words.subspan(1));
        if (done) {
            return 0;
        }
        fmt::print(stderr, "relaisctl {}: {}: {}\n", name, done.error().slug, done.error().detail);
        if (done.error().slug == "usage") {
            fmt::print(stderr, "usage: relaisctl {}\n", each.usage);
            return 2;
        }
        return 1;
    }
    print_help(stderr);
    return 2;
}

} // namespace relais::ctl
