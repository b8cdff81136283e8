#include "gateway/routing/path_rewrite.hpp"

#include <cassert>

namespace relais::gateway {

std::string path_rewrite::apply(std::string_view path) const {
    assert(path.starts_with(strip));
    path.remove_prefix(strip.size());
    std::string out;
    out.reserve(add.size() + path.size());
    out.append(add).append(path);
    return out.empty() ? "/" : out;
}

bool is_internal(std::string_view path) {
    return path == "/internal" || path.starts_with("/internal/");
}

} // namespace relais::gateway
