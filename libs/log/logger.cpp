#include "log/logger.hpp"

#include "clock/rfc3339.hpp"
#include "log/json_text.hpp"
#include "log/line_writer.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>

namespace relais::log {
namespace {

constexpr std::size_t queue_lines = 8192;

std::string_view severity_text(level value) {
    switch (value) {
    case level::debug:
        return "DEBUG";
    case level::info:
        return "INFO";
    case level::warn:
        return "WARN";
    case level::error:
        return "ERROR";
    }
    return "INFO";
}

void append_value(std::string& out, const field& entry) {
    std::visit(
        [&out](const auto& value) {
            using type = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<type, std::string>) {
                append_json_string(out, value);
            } else if constexpr (std::is_same_v<type, bool>) {
                out += value ? "true" : "false";
            } else {
                fmt::format_to(std::back_inserter(out), "{}", value);
            }
        },
        entry.value);
}

} // namespace

namespace detail {

/// spdlog's own sink goes through stdio, which keeps what could not be written and loses the rest
/// without a word when the disc is full.
class line_sink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit line_sink(int descriptor) : writer_(descriptor) {}

    std::uint64_t lost() const {
        return writer_.lost();
    }

    /// On any thread.
    std::size_t write_lines(std::string_view block, std::chrono::milliseconds wait_at_most) {
        return writer_.write_lines(block, wait_at_most);
    }

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        writer_.write({line.data(), line.size()});
    }

    void flush_() override {}

    line_writer writer_;
};

struct sink {
    std::string service;
    std::string instance;
    std::atomic<level> threshold;
    std::shared_ptr<line_sink> lines; // shared with spdlog's logger
    std::shared_ptr<spdlog::details::thread_pool> thread;
    std::shared_ptr<spdlog::async_logger> out;
    std::atomic<std::uint64_t> given_up{0}; ///< by those who render their own lines
};

} // namespace detail

level parse_level(std::string_view word) {
    if (word == "debug") {
        return level::debug;
    }
    if (word == "warn") {
        return level::warn;
    }
    if (word == "error") {
        return level::error;
    }
    return level::info;
}

std::string_view to_string(level value) {
    switch (value) {
    case level::debug:
        return "debug";
    case level::info:
        return "info";
    case level::warn:
        return "warn";
    case level::error:
        return "error";
    }
    return "info";
}

logger::logger() = default;

logger::logger(std::string service, std::string instance, level threshold, int descriptor)
    : sink_(std::make_shared<detail::sink>()) {
    sink_->service = std::move(service);
    sink_->instance = std::move(instance);
    sink_->threshold = threshold;
    sink_->thread = std::make_shared<spdlog::details::thread_pool>(queue_lines, 1);
    sink_->lines = std::make_shared<detail::line_sink>(descriptor);
    sink_->out = std::make_shared<spdlog::async_logger>(
        "relais", sink_->lines, sink_->thread, spdlog::async_overflow_policy::overrun_oldest);
    sink_->out->set_pattern("%v");
    sink_->out->set_level(spdlog::level::trace);
}

logger logger::with(const trace::context& where) const {
    logger copy = *this;
    copy.trace_ = fmt::format(R"("trace_id":"{}","span_id":"{}",)", where.trace_id_text(),
                              where.span_id_text());
    return copy;
}

void logger::write(level severity, std::string_view event, fields values) const {
    if (!sink_ || severity < sink_->threshold.load(std::memory_order_relaxed)) {
        return;
    }
    const auto now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    std::string line = fmt::format(R"({{"timestamp":"{}","severity":"{}","service":)",
                                   to_rfc3339(now), severity_text(severity));
    append_json_string(line, sink_->service);
    line += R"(,"instance":)";
    append_json_string(line, sink_->instance);
    line += ',';
    line += trace_;
    line += R"("event":)";
    append_json_string(line, event);
    for (const auto& entry : values) {
        line += ',';
        append_json_string(line, entry.name);
        line += ':';
        append_value(line, entry);
    }
    line += '}';
    sink_->out->log(spdlog::level::info, line);
}

void logger::debug(std::string_view event, fields values) const {
    write(level::debug, event, values);
}

void logger::info(std::string_view event, fields values) const {
    write(level::info, event, values);
}

void logger::warn(std::string_view event, fields values) const {
    write(level::warn, event, values);
}

void logger::error(std::string_view event, fields values) const {
    write(level::error, event, values);
}

void logger::set_level(level threshold) const {
    if (sink_) {
        sink_->threshold = threshold;
    }
}

level logger::current_level() const {
    return sink_ ? sink_->threshold.load() : level::error;
}

std::size_t logger::write_lines(std::string_view block,
                                std::chrono::milliseconds wait_at_most) const {
    return sink_ ? sink_->lines->write_lines(block, wait_at_most) : block.size();
}

void logger::report_dropped(std::uint64_t lines) const {
    if (sink_) {
        sink_->given_up.fetch_add(lines, std::memory_order_relaxed);
    }
}

std::uint64_t logger::dropped() const {
    return sink_ ? sink_->thread->overrun_counter() + sink_->lines->lost() +
                       sink_->given_up.load(std::memory_order_relaxed)
                 : 0;
}

void logger::flush() const {
    if (sink_) {
        sink_->out->flush();
    }
}

} // namespace relais::log
