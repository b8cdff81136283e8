#include "gateway/access/doorbell.hpp"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace relais::gateway {

doorbell::doorbell() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

doorbell::~doorbell() {
    ::close(descriptor_);
}

void doorbell::ring() noexcept {
    // Exchanges on both sides: whichever comes second sees what the other one did before it.
    if (listening_.exchange(false, std::memory_order_acq_rel)) {
        constexpr std::uint64_t once = 1;
        while (::write(descriptor_, &once, sizeof once) < 0 && errno == EINTR) {}
    }
}

void doorbell::listen() noexcept {
    listening_.exchange(true, std::memory_order_acq_rel);
}

void doorbell::answer() noexcept {
    listening_.exchange(false, std::memory_order_acq_rel);
    std::uint64_t count = 0;
    while (::read(descriptor_, &count, sizeof count) < 0 && errno == EINTR) {}
}

} // namespace relais::gateway
