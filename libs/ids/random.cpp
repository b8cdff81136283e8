#include "ids/random.hpp"

#include <openssl/rand.h>

#include <cstdlib>

namespace relais {

void random_bytes(std::span<std::uint8_t> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
        std::abort();
    }
}

} // namespace relais
