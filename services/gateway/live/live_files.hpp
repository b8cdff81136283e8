#pragma once

#include <string_view>

namespace relais::gateway {

/// The files of the page, as they were at build time.
std::string_view live_page();
std::string_view live_style();
std::string_view live_script();

} // namespace relais::gateway
