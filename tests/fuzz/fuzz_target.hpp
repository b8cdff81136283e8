#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What libFuzzer calls; must accept any bytes and return 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace relais::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters here
    return {reinterpret_cast<const char*>(data), size};
}

/// The text up to the next line's end, which goes, too.
inline std::string_view take_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

/// Ends the process, which libFuzzer reports with the input.
inline void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

} // namespace relais::fuzz
