#include "gateway/files/open_below.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace relais::gateway {

open_file::~open_file() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

open_file open_directory(const std::string& path) {
    return open_file(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

open_file open_below(const open_file& root, const std::string& path) {
    constexpr int tries = 4;
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int i = 0; i < tries; ++i) {
        const auto got = ::syscall(SYS_openat2, root.get(), path.empty() ? "." : path.c_str(), &how,
                                   sizeof(how));
        if (got >= 0) {
            return open_file(static_cast<int>(got));
        }
        if (errno != EAGAIN) { // something was renamed while ".." was looked at
            break;
        }
    }
    return {};
}

} // namespace relais::gateway
