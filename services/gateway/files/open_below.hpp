#pragma once

#include <string>
#include <utility>

namespace relais::gateway {

/// A file descriptor that is closed.
class open_file {
public:
    open_file() = default;

    explicit open_file(int descriptor) : descriptor_(descriptor) {}

    ~open_file();

    open_file(open_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    open_file& operator=(open_file&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    explicit operator bool() const {
        return descriptor_ >= 0;
    }

    int get() const {
        return descriptor_;
    }

private:
    int descriptor_ = -1;
};

/// A directory, to open files below.
open_file open_directory(const std::string& path);

/// A file for reading, or a directory; "" is `root` itself. The kernel lets no part of the path
/// lead out of it, neither "..", nor a link, nor one that is changed meanwhile (openat2,
/// RESOLVE_BENEATH). Never waits, as opening a pipe would. Empty: it cannot be had.
open_file open_below(const open_file& root, const std::string& path);

} // namespace relais::gateway
