#include "gateway/routing/route_table.hpp"

#include <algorithm>
#include <set>

namespace relais::gateway {
namespace {

/// Calls with each prefix of whole segments, the longest first, until one is taken: "/a/b", "/a",
/// "/". A slash at the end does not make a segment.
template <class Take>
void each_prefix(std::string_view path, Take take) {
    if (path.size() > 1 && path.ends_with('/')) {
        path.remove_suffix(1);
    }
    while (!path.empty()) {
        if (take(path) || path == "/") {
            return;
        }
        const auto slash = path.rfind('/');
        if (slash == std::string_view::npos) {
            return; // "*"
        }
        path = slash == 0 ? std::string_view("/") : path.substr(0, slash);
    }
}

} // namespace

void route_table::index() {
    by_prefix_.clear();
    for (std::size_t i = 0; i < routes.size(); ++i) {
        by_prefix_[routes[i].prefix].push_back(i);
    }
}

const route* route_table::find(std::string_view path, std::string_view method) const {
    const route* found = nullptr;
    if (is_internal(path)) {
        return nullptr; // never from outside, not even by a route for everything
    }
    each_prefix(path, [&](std::string_view prefix) {
        const auto here = by_prefix_.find(prefix);
        if (here == by_prefix_.end()) {
            return false;
        }
        for (const auto which : here->second) {
            if (allows(routes[which], method)) {
                found = &routes[which];
                return true;
            }
        }
        return false;
    });
    return found;
}

std::vector<std::string> route_table::methods_at(std::string_view path) const {
    std::set<std::string> all;
    each_prefix(path, [&](std::string_view prefix) {
        if (const auto here = by_prefix_.find(prefix); here != by_prefix_.end()) {
            for (const auto which : here->second) {
                all.insert(routes[which].methods.begin(), routes[which].methods.end());
            }
        }
        return false;
    });
    return {all.begin(), all.end()};
}

bool allows(const route& found, std::string_view method) {
    return std::ranges::find(found.methods, method) != found.methods.end();
}

} // namespace relais::gateway
