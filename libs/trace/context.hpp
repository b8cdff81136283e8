#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relais::trace {

/// Where a piece of work belongs: W3C Trace Context. A request, an event and a call to a provider
/// of one cause share the trace id; each has a span id of its own.
struct context {
    std::array<std::uint8_t, 16> trace_id{};
    std::array<std::uint8_t, 8> span_id{};
    bool sampled = true;

    /// A new trace.
    static context start();

    /// `00-<32 hex>-<16 hex>-<2 hex>`; nullopt for anything else, all-zero ids included: then
    /// start() a new trace (W3C Trace Context §4.3).
    static std::optional<context> parse(std::string_view traceparent);

    /// The same trace with a span id of its own.
    context child() const;

    /// The `traceparent` value, for HTTP headers, Kafka headers and outbox rows alike.
    std::string traceparent() const;
    /// The same without memory of its own.
    std::array<char, 55> traceparent_characters() const;

    std::string trace_id_text() const;
    std::string span_id_text() const;
};

} // namespace relais::trace
