#include "gateway/access/access_settings.hpp"

#include <charconv>
#include <system_error>

namespace relais::gateway {
namespace {

double read_rate(config::reader& from) {
    constexpr std::string_view name = "RELAIS_ACCESS_SAMPLE_RATE";
    const auto text = from.text(name, "0.01",
                                "Share of the requests that become access events, 0 to 1; "
                                "failed and slow ones always do");
    double rate = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), rate);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    if (!whole || !(rate >= 0 && rate <= 1)) {
        from.problem(name, "not a number from 0 to 1");
        return 0;
    }
    return rate;
}

} // namespace

access_settings read_access_settings(config::reader& from) {
    access_settings out;
    const auto lines = from.choice(
        "RELAIS_ACCESS_LOG", {"all", "sampled", "errors"}, "all",
        "Requests with a line in the log: all, those that become access events, errors");
    out.lines = lines == "errors"    ? access_log_lines::errors
                : lines == "sampled" ? access_log_lines::sampled
                                     : access_log_lines::all;
    const auto client =
        from.choice("RELAIS_ACCESS_LOG_CLIENT", {"none", "network", "whole"}, "network",
                    "What those lines say of a client's address; network: /24 of v4, /48 of v6");
    out.client = client == "none"    ? client_shown::none
                 : client == "whole" ? client_shown::whole
                                     : client_shown::network;
    out.sample_rate = read_rate(from);
    out.slow_after = from.duration_ms("RELAIS_ACCESS_SLOW_MS", out.slow_after,
                                      "A request that took longer always becomes an access event");
    out.events_per_second_max = static_cast<std::uint32_t>(
        from.integer("RELAIS_ACCESS_EVENTS_PER_SECOND_MAX", out.events_per_second_max, 0, 1'000'000,
                     "More access events in a second are dropped and counted"));
    out.kept = static_cast<std::size_t>(
        from.integer("RELAIS_ACCESS_KEPT", static_cast<std::int64_t>(out.kept), 0, 1'000'000,
                     "Requests that can be asked about on the admin listener, and as many failed "
                     "or slow ones; half a kilobyte each"));
    return out;
}

} // namespace relais::gateway
