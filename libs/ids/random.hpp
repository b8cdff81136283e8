#pragma once

#include <cstdint>
#include <span>

namespace relais {

/// Fills the bytes from the system's cryptographic random source. Never fails: a system without one
/// cannot run us (the process is ended).
void random_bytes(std::span<std::uint8_t> out);

} // namespace relais
