#pragma once

#include <cstdint>
#include <span>

namespace relais {

/// Fills the bytes from the system's cryptographic random source. Never fails: a system without one
/// cannot run us (the process is ended).
void random_bytes(std::span<std::uint8_t> out);

/// As random_bytes(), but fetched many at a time, which is ten times as fast: for ids and jitter,
/// which are no secrets. A forked process gets bytes of its own.
void unique_bytes(std::span<std::uint8_t> out);

} // namespace relais
