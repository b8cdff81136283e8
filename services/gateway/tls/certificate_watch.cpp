#include "gateway/tls/certificate_watch.hpp"

#include "async/timeout.hpp"

#include <sys/stat.h>

namespace asio = boost::asio;

namespace relais::gateway {

certificate_watch::certificate_watch(report_function report) : report_(std::move(report)) {}

void certificate_watch::add(std::string group_name, std::vector<std::string> files,
                            load_function load) {
    auto stamps = stamps_of(files);
    groups_.push_back({std::move(files), std::move(load), std::move(stamps),
                       watch_outcome{std::move(group_name), true, {}}});
}

void certificate_watch::look(bool at_all_groups) {
    for (auto& each : groups_) {
        // Before loading: a change while we load is seen by the next look.
        auto stamps = stamps_of(each.files);
        if (at_all_groups || !each.last.accepted || stamps != each.stamps) {
            each.stamps = std::move(stamps);
            load(each);
        }
    }
}

asio::awaitable<void> certificate_watch::run(std::chrono::milliseconds every) {
    while (true) {
        co_await async::sleep_for(every);
        look();
    }
}

std::vector<watch_outcome> certificate_watch::refused() const {
    std::vector<watch_outcome> out;
    for (const auto& each : groups_) {
        if (!each.last.accepted) {
            out.push_back(each.last);
        }
    }
    return out;
}

/// A file that is not there has a stamp, too, which changes when it comes.
certificate_watch::stamp certificate_watch::stamp_of(const std::string& file) {
    struct stat found{};
    if (stat(file.c_str(), &found) != 0) {
        return {};
    }
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    return {found.st_dev, found.st_ino, found.st_size,
            found.st_mtim.tv_sec * ns_per_s + found.st_mtim.tv_nsec};
}

std::vector<certificate_watch::stamp>
certificate_watch::stamps_of(const std::vector<std::string>& files) {
    std::vector<stamp> out;
    out.reserve(files.size());
    for (const auto& each : files) {
        out.push_back(stamp_of(each));
    }
    return out;
}

void certificate_watch::load(group& which) {
    auto problems = which.load();
    const bool is_news = problems.empty() || problems != which.last.problems;
    which.last.accepted = problems.empty();
    which.last.problems = std::move(problems);
    if (is_news) {
        report_(which.last);
    }
}

} // namespace relais::gateway
