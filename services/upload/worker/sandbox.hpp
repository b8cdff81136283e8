#pragma once

#include <cstdint>

namespace relais::upload {

struct sandbox_limits {
    std::uint64_t memory_bytes =
        0; ///< of address space (not in sanitized builds: they need terabytes)
    std::uint32_t cpu_seconds = 0;
};

/// Before anything else: no environment, no descriptors besides 0, 1 and 2, no core dumps, no files
/// written, no new privileges, limits of memory and CPU, death with the parent. Ends the process
/// when the kernel refuses any of it.
void give_up_rights(const sandbox_limits& limits);

/// After libraries are loaded and before the first byte of a picture is read: from now on the
/// process can compute, use memory, read and write open descriptors and end. No files, no sockets,
/// no programs, no executable memory. Everything else fails with EPERM.
void close_system_calls();

} // namespace relais::upload
