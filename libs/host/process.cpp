#include "host/process.hpp"

#include "host/process_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace asio = boost::asio;

namespace relais::host {

process::process(process_settings settings) : impl_(std::make_unique<impl>(std::move(settings))) {}

process::~process() = default;

asio::io_context& process::loop() {
    return impl_->loop;
}

metrics::registry& process::metrics() {
    return impl_->metrics;
}

const log::logger& process::logger() const {
    return impl_->logger;
}

const clock& process::time() const {
    return impl_->time;
}

const process_settings& process::settings() const {
    return impl_->settings;
}

async::task_group& process::tasks(stage which) {
    return *impl_->groups[index_of(which)];
}

void process::add(part value) {
    impl_->parts.push_back(std::move(value));
}

void process::run_task(stage which, const std::string& name,
                       std::function<asio::awaitable<void>()> run) {
    auto start = [this, which, name, run = std::move(run)]() -> asio::awaitable<result<void>> {
        tasks(which).spawn(name, run());
        co_return result<void>();
    };
    add(part{which, name, std::move(start), nullptr});
}

http::socket_shelf& process::sockets() {
    return impl_->sockets;
}

bool process::was_taken_over() const {
    return impl_->sockets.given_away();
}

void process::add_readiness(std::string name, std::function<result<void>()> check) {
    impl_->admin.add_check(std::move(name), std::move(check));
}

void process::add_admin_routes(std::vector<http::route> routes) {
    impl_->admin.add_routes(std::move(routes));
}

void process::on_drain(std::function<void()> action) {
    impl_->drain_actions.push_back(std::move(action));
}

void process::add_command(command value) {
    impl_->commands.push_back(std::move(value));
}

int process::run_command(std::vector<std::string> words) {
    const auto found = std::ranges::find(impl_->commands, words.front(), &command::name);
    if (found == impl_->commands.end()) {
        auto* const out = words.front() == "help" ? stdout : stderr;
        fmt::print(out, "one-off runs of relais-{}:\n", impl_->settings.service);
        for (const auto& each : impl_->commands) {
            fmt::print(out, "  {}\n", each.usage);
        }
        return words.front() == "help" ? 0 : 2;
    }
    words.erase(words.begin());
    return impl_->run_until_end(impl_->live_for(*found, std::move(words)));
}

int process::run() {
    return impl_->run_until_end(impl_->live());
}

} // namespace relais::host
