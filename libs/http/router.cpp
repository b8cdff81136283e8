#include "http/router.hpp"

#include "http/target.hpp"

#include <algorithm>
#include <stdexcept>

namespace relais::http {
namespace {

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// Cuts the next segment off: "/v1/jobs" → "v1", leaving "/jobs".
std::string_view next_segment(std::string_view& path) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(end);
    return segment;
}

/// Whether the path has the template's shape. A parameter stands for one segment that is not empty.
bool matches(std::string_view shape, std::string_view path) {
    while (!shape.empty() && !path.empty()) {
        const auto wanted = next_segment(shape);
        const auto given = next_segment(path);
        if (is_parameter(wanted) ? given.empty() : wanted != given) {
            return false;
        }
    }
    return shape.empty() && path.empty();
}

/// A parameter whose escapes are broken or no UTF-8 names nothing that exists.
bool read_parameters(std::string_view shape, std::string_view path,
                     std::map<std::string, std::string, std::less<>>& out) {
    while (!shape.empty()) {
        const auto wanted = next_segment(shape);
        const auto given = next_segment(path);
        if (is_parameter(wanted)) {
            auto value = percent_decode(given, false);
            if (!value) {
                return false;
            }
            out.emplace(wanted.substr(1, wanted.size() - 2), std::move(*value));
        }
    }
    return true;
}

/// "/v1/jobs/{}" : two templates of the same shape would shadow each other.
std::string shape_of(std::string_view path) {
    std::string shape;
    while (!path.empty()) {
        const auto segment = next_segment(path);
        shape += '/';
        shape += is_parameter(segment) ? "{}" : segment;
    }
    return shape;
}

std::ptrdiff_t parameters_in(std::string_view path) {
    return std::ranges::count(path, '{');
}

} // namespace

router::router(std::vector<route> table) : table_(std::move(table)) {
    // Literal segments win over parameters: "/v1/sessions/current" before "/v1/sessions/{id}".
    std::ranges::sort(table_, {}, [](const route& each) {
        return std::pair(parameters_in(each.path), std::string_view(each.path));
    });
    for (std::size_t i = 0; i < table_.size(); ++i) {
        if (!table_[i].path.starts_with('/')) {
            throw std::logic_error("a route's path begins with a slash: " + table_[i].path);
        }
        for (std::size_t k = 0; k < i; ++k) {
            if (table_[i].method == table_[k].method &&
                shape_of(table_[i].path) == shape_of(table_[k].path)) {
                throw std::logic_error("two routes for " + table_[i].method + " " + table_[i].path);
            }
        }
    }
}

router::match router::find(std::string_view method, std::string_view path) const {
    match found;
    if (!path.starts_with('/')) {
        return found;
    }
    const route* get = nullptr;
    for (const route& each : table_) {
        if (!matches(each.path, path)) {
            continue;
        }
        if (std::ranges::find(found.allowed, each.method) == found.allowed.end()) {
            found.allowed.push_back(each.method);
        }
        if (each.method == "GET" && get == nullptr) {
            get = &each;
        }
        if (each.method == method && found.route == nullptr) {
            found.route = &each;
        }
    }
    if (found.route == nullptr && method == "HEAD") {
        found.route = get;
    }
    if (found.route != nullptr && !read_parameters(found.route->path, path, found.parameters)) {
        return {};
    }
    if (get != nullptr && std::ranges::find(found.allowed, "HEAD") == found.allowed.end()) {
        found.allowed.emplace_back("HEAD");
    }
    if (!found.allowed.empty() &&
        std::ranges::find(found.allowed, "OPTIONS") == found.allowed.end()) {
        found.allowed.emplace_back("OPTIONS");
    }
    return found;
}

} // namespace relais::http
