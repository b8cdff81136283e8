#include "backbone/node.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>

namespace asio = boost::asio;

namespace relais::backbone {
namespace {

constexpr int log_descriptor = 2;

asio::awaitable<void> end_when_told(node& which) {
    asio::signal_set signals(which.loop(), SIGTERM, SIGINT);
    co_await signals.async_wait(asio::use_awaitable);
    which.done();
}

} // namespace

node::node(const options& given, std::string kind)
    : given_(given), kind_(std::move(kind)),
      logger_("backbone-" + kind_, given.text("instance", kind_),
              log::parse_level(given.text("log", "error")), log_descriptor),
      tasks_(loop_, [this](const std::string& task, const std::string& what) {
          logger_.error("node.task_failed", {{"task", task}, {"what", what}});
          std::_Exit(1); // whoever started it notices
      }) {}

pg::pool_settings node::pool_settings(std::size_t connections) const {
    return {.url = given_.text("url"),
            .application_name = "backbone-" + kind_,
            .connections = connections};
}

void node::run() {
    tasks_.spawn("signals", end_when_told(*this));
    while (!ending_ && loop_.run_one() > 0) {}
    tasks_.cancel();
    bool ended = false;
    asio::co_spawn(loop_, tasks_.join(), [&](const std::exception_ptr&) { ended = true; });
    while (!ended && loop_.run_one() > 0) {}
}

void node::done() {
    ending_ = true;
}

} // namespace relais::backbone
