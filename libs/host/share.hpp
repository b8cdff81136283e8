#pragma once

#include <string>
#include <string_view>

namespace relais::host {

/// Where a data folder of ours lies: RELAIS_SHARE_DIR, else <directory of the
/// program>/../share/relais, then `name` below it ("templates", "migrations/web-api").
std::string share_path(std::string_view name);

} // namespace relais::host
