#include "outbox/snapshot_text.hpp"

#include <algorithm>
#include <charconv>

namespace relais::outbox {

result<snapshot> parse_snapshot(std::string_view text) {
    const auto unreadable = fail(error_kind::internal, "pg-snapshot", std::string(text));
    const auto first = text.find(':');
    const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
    if (second == std::string_view::npos) {
        return unreadable;
    }
    snapshot read;
    const auto xmax = text.substr(first + 1, second - first - 1);
    const auto [end, failed] = std::from_chars(xmax.data(), xmax.data() + xmax.size(), read.xmax);
    if (failed != std::errc() || end != xmax.data() + xmax.size()) {
        return unreadable;
    }
    for (auto rest = text.substr(second + 1); !rest.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        read.in_progress.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return read;
}

bool sees(std::string_view snapshot_text, std::uint64_t xid) {
    const auto read = parse_snapshot(snapshot_text);
    return read && xid < read->xmax &&
           std::ranges::find(read->in_progress, std::to_string(xid)) == read->in_progress.end();
}

} // namespace relais::outbox
