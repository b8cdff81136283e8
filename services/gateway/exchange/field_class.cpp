#include "gateway/exchange/field_class.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace relais::gateway {
namespace {

struct entry {
    std::string_view name; ///< in lower case
    field_class what;
};

using enum field_class;

// (Names with '_' never pass the gate.)
constexpr std::array table{
    entry{"te", hop_by_hop},
    entry{"via", ours},
    entry{"date", date},
    entry{"host", host},
    entry{"cookie", cookie},
    entry{"expect", hop_by_hop},
    entry{"server", server},
    entry{"trailer", hop_by_hop},
    entry{"upgrade", hop_by_hop},
    entry{"forwarded", ours},
    entry{"x-real-ip", ours},
    entry{"connection", connection},
    entry{"keep-alive", hop_by_hop},
    entry{"tracestate", ours},
    entry{"traceparent", ours},
    entry{"x-client-ip", ours},
    entry{"x-request-id", request_id},
    entry{"authorization", authorization},
    entry{"content-length", hop_by_hop},
    entry{"http2-settings", hop_by_hop},
    entry{"true-client-ip", ours},
    entry{"x-forwarded-for", ours},
    entry{"x-forwarded-uri", ours},
    entry{"cf-connecting-ip", ours},
    entry{"proxy-connection", hop_by_hop},
    entry{"x-forwarded-host", ours},
    entry{"x-forwarded-port", ours},
    entry{"transfer-encoding", hop_by_hop},
    entry{"x-forwarded-proto", ours},
    entry{"proxy-authenticate", hop_by_hop},
    entry{"x-forwarded-method", ours},
    entry{"x-forwarded-prefix", ours},
    entry{"x-forwarded-server", ours},
    entry{"proxy-authorization", hop_by_hop},
};

constexpr std::size_t length_max = 19;
constexpr std::string_view internal_prefix = "x-relais-";

/// Where the names of each length begin in the table.
constexpr auto begins = [] {
    std::array<std::uint8_t, length_max + 2> out{};
    std::size_t at = 0;
    for (std::size_t length = 0; length < out.size(); ++length) {
        while (at < table.size() && table[at].name.size() < length) {
            ++at;
        }
        out[length] = static_cast<std::uint8_t>(at);
    }
    return out;
}();

static_assert(std::ranges::is_sorted(table, {}, [](const entry& e) { return e.name.size(); }));
static_assert(table.back().name.size() == length_max);

/// The first is in lower case. (`| 0x20` makes letters lower; '-' and digits have that bit.)
bool equals(std::string_view lower, const char* name) {
    for (std::size_t i = 0; i < lower.size(); ++i) {
        if (lower[i] != static_cast<char>(name[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

} // namespace

field_class classify(std::string_view name) {
    if (name.size() > internal_prefix.size() && equals(internal_prefix, name.data())) {
        return ours;
    }
    if (name.size() > length_max) {
        return end_to_end;
    }
    for (std::size_t i = begins[name.size()]; i < begins[name.size() + 1]; ++i) {
        if (equals(table[i].name, name.data())) {
            return table[i].what;
        }
    }
    return end_to_end;
}

} // namespace relais::gateway
