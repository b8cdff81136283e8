#pragma once

#include <functional>
#include <map>
#include <string>

namespace relais::test {

using maker = std::function<std::string()>;

/// Pictures by name, each made anew. After VIPS_INIT; they throw vips::VError.
const std::map<std::string, maker, std::less<>>& picture_makers();

} // namespace relais::test
