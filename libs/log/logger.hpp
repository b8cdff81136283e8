#pragma once

#include "trace/context.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace relais::log {

enum class level { debug, info, warn, error };

/// An unknown word gives info.
level parse_level(std::string_view word);
std::string_view to_string(level value);

/// One field of a log line. Numbers stay numbers in the JSON. There is deliberately no conversion
/// from config::secret: a secret cannot be logged by accident. Personal data is not logged at all.
struct field {
    std::string_view name;
    std::variant<std::string, std::int64_t, double, bool> value;

    field(std::string_view key, std::string text) : name(key), value(std::move(text)) {}

    field(std::string_view key, std::string_view text) : name(key), value(std::string(text)) {}

    field(std::string_view key, const char* text) : name(key), value(std::string(text)) {}

    field(std::string_view key, bool flag) : name(key), value(flag) {}

    field(std::string_view key, double number) : name(key), value(number) {}

    template <std::integral Integer>
    field(std::string_view key, Integer number)
        : name(key), value(static_cast<std::int64_t>(number)) {}
};

using fields = std::initializer_list<field>;

namespace detail {
struct sink;
}

/// Writes one JSON object a line to standard output: fields, not sentences.
///   logger.info("upload.completed", {{"upload_id", id.text()}, {"size_bytes", 4711}});
/// gives {"timestamp":"…","severity":"INFO","service":"upload","event":"upload.completed",…}.
/// Writing never blocks on a slow reader or a full disc: lines that do not fit the queue or cannot
/// be written are dropped and counted (dropped()). Cheap to copy; copies share the sink.
/// Thread-safe.
class logger {
public:
    /// A logger that writes nothing, for tests.
    logger();
    /// descriptor: where lines go, standard output unless a test says otherwise. Stays open.
    logger(std::string service, std::string instance, level threshold, int descriptor = 1);

    /// A copy that adds trace_id and span_id to each line.
    logger with(const trace::context& where) const;

    void debug(std::string_view event, fields values = {}) const;
    void info(std::string_view event, fields values = {}) const;
    void warn(std::string_view event, fields values = {}) const;
    void error(std::string_view event, fields values = {}) const;

    void set_level(level threshold) const;
    level current_level() const;

    /// For who renders many lines by himself, on a thread of his own: each is one JSON object as
    /// above, with its newline. Writes as much as there is room for, past the queue but never into
    /// the middle of another line, and waits at most so long for the first. Returns the bytes that
    /// are written; the rest is the caller's to offer again, or to give up, in whole lines, and
    /// report. The level is the caller's to look at.
    std::size_t write_lines(std::string_view block, std::chrono::milliseconds wait_at_most) const;

    /// Lines that such a caller gave up; they count as dropped.
    void report_dropped(std::uint64_t lines) const;

    /// Lines lost since the start: the queue was full, or they could not be written.
    std::uint64_t dropped() const;

    /// Writes out what is queued. Called before the process ends.
    void flush() const;

private:
    void write(level severity, std::string_view event, fields values) const;

    std::shared_ptr<detail::sink> sink_; // shared by the copies of one logger
    std::string trace_;                  ///< rendered `"trace_id":"…","span_id":"…",` or empty
};

} // namespace relais::log
