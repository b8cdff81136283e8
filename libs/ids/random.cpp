#include "ids/random.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <pthread.h>

namespace relais {
namespace {

/// How often this process was forked: what its parent had fetched is not its own.
std::atomic<unsigned> forks{0};

[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });

struct store {
    std::array<std::uint8_t, 1024> bytes{};
    std::size_t used = bytes.size();
    unsigned forks_seen = 0;
};

} // namespace

void random_bytes(std::span<std::uint8_t> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
        std::abort();
    }
}

void unique_bytes(std::span<std::uint8_t> out) {
    thread_local store mine;
    const auto now = forks.load(std::memory_order_relaxed);
    if (mine.forks_seen != now || out.size() > mine.bytes.size() - mine.used) {
        if (out.size() > mine.bytes.size()) {
            random_bytes(out);
            return;
        }
        random_bytes(mine.bytes);
        mine.used = 0;
        mine.forks_seen = now;
    }
    std::ranges::copy(std::span(mine.bytes).subspan(mine.used, out.size()), out.begin());
    mine.used += out.size();
}

} // namespace relais
