#include "host/admin.hpp"

#include "host/process.hpp"
#include "http/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace asio = boost::asio;

namespace relais::host {
namespace {

constexpr int log_level_minutes_max = 24 * 60;

http::route get(std::string path, std::function<http::response()> answer) {
    http::route made;
    made.method = "GET";
    made.path = std::move(path);
    made.handle = [answer = std::move(answer)](
                      const http::request&) -> asio::awaitable<result<http::response>> {
        co_return answer();
    };
    return made;
}

} // namespace

admin_state::admin_state(metrics::registry& metrics, log::logger logger, std::string service)
    : metrics_(metrics), logger_(std::move(logger)), service_(std::move(service)),
      process_metrics_(metrics, service_, version()),
      ready_(metrics.gauge("service_ready", "1 when /readyz answers 200")),
      log_dropped_(metrics.gauge("log_dropped_total", "Log lines lost: the queue was full")),
      configured_level_(logger_.current_level()) {}

void admin_state::set_phase(phase value) {
    phase_ = value;
}

void admin_state::add_check(std::string name, std::function<result<void>()> check) {
    checks_.emplace_back(std::move(name), std::move(check));
}

void admin_state::add_routes(std::vector<http::route> routes) {
    std::ranges::move(routes, std::back_inserter(added_));
}

std::vector<http::route> admin_state::routes() {
    std::vector<http::route> table = added_;
    table.push_back(get("/livez", [this] { return livez(); }));
    table.push_back(get("/readyz", [this] { return readyz(); }));
    table.push_back(get("/metrics", [this] { return metrics_page(); }));
    table.push_back(get("/version", [this] { return version_page(); }));
    http::route level;
    level.method = "PUT";
    level.path = "/log-level";
    level.handle = [this](const http::request& request) -> asio::awaitable<result<http::response>> {
        co_return set_log_level(request);
    };
    table.push_back(std::move(level));
    return table;
}

http::response admin_state::livez() const {
    return http::response::text(200, "alive\n", "text/plain");
}

http::response admin_state::readyz() const {
    bool ready = phase_ == phase::running;
    http::json_writer json;
    json.begin_object();
    json.member("phase", phase_ == phase::running    ? "running"
                         : phase_ == phase::draining ? "draining"
                                                     : "starting");
    json.begin_object("checks");
    for (const auto& [name, check] : checks_) {
        const auto outcome = check();
        ready = ready && outcome.has_value();
        json.member(name, outcome ? std::string("ok") : outcome.error().detail);
    }
    json.end_object();
    json.member("ready", ready);
    json.end_object();
    ready_.set(ready ? 1 : 0);
    return http::response::json(ready ? 200 : 503, json.take());
}

std::vector<std::string> admin_state::failing_checks() const {
    std::vector<std::string> out;
    for (const auto& [name, check] : checks_) {
        const auto outcome = check();
        if (!outcome) {
            out.push_back(fmt::format("{}: {}", name, outcome.error().detail));
        }
    }
    return out;
}

http::response admin_state::metrics_page() {
    restore_log_level_when_due();
    process_metrics_.update();
    log_dropped_.set(static_cast<double>(logger_.dropped()));
    return http::response::text(200, metrics_.serialize(), "text/plain; version=0.0.4");
}

http::response admin_state::version_page() const {
    http::json_writer json;
    json.begin_object().member("service", service_).member("version", version()).end_object();
    return http::response::json(200, json.take());
}

result<http::response> admin_state::set_log_level(const http::request& request) {
    const auto level = request.query_parameter("level");
    const auto minutes = request.query_parameter("minutes");
    if (!level || !minutes) {
        return fail(level ? minutes : level);
    }
    const std::string word = level->value_or("");
    if (log::to_string(log::parse_level(word)) != word) {
        return fail(error_kind::invalid, "unknown-value", "level is debug, info, warn or error");
    }
    const std::string text = minutes->value_or("15");
    int count = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
    if (parsed.ec != std::errc() || count < 1 || count > log_level_minutes_max) {
        return fail(error_kind::invalid, "unknown-value", "minutes is 1 to 1440");
    }
    logger_.set_level(log::parse_level(word));
    level_until_ = std::chrono::steady_clock::now() + std::chrono::minutes(count);
    logger_.warn("log.level_changed", {{"level", word}, {"minutes", count}});
    return http::response::empty(204);
}

// Looked at when Prometheus scrapes, so that a forgotten debug level ends by itself.
void admin_state::restore_log_level_when_due() {
    const bool was_set = level_until_ != std::chrono::steady_clock::time_point{};
    if (was_set && std::chrono::steady_clock::now() >= level_until_) {
        level_until_ = {};
        logger_.set_level(configured_level_);
        logger_.warn("log.level_restored", {{"level", log::to_string(configured_level_)}});
    }
}

} // namespace relais::host
