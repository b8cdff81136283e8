#include "gateway/files/body_source.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/uio.h>

namespace relais::gateway {
namespace {

/// What the kernel is told to have ready behind what was read.
constexpr off_t ahead_bytes = 1024 * 1024;
constexpr int waits_max = 20;

} // namespace

void body_source::begin(std::string_view content, std::shared_ptr<const void> keeps) {
    content_ = content;
    keeps_ = std::move(keeps);
    active_ = true;
}

void body_source::begin(open_file file, std::uint64_t first, std::uint64_t count) {
    file_ = std::move(file);
    at_ = first;
    left_ = count;
    waits_ = 0;
    block_ = blocks_.take();
    active_ = true;
}

void body_source::end() {
    active_ = false;
    keeps_.reset();
    file_ = open_file();
    if (block_ != nullptr) {
        blocks_.give(std::move(block_));
    }
}

body_source::part body_source::next() {
    if (block_ == nullptr) {
        return {state::piece, content_, true};
    }
    return read();
}

/// Takes what is in the page cache at once. What is not is asked for and waited for without holding
/// up the loop; only where that does not help is it read the slow way.
body_source::part body_source::read() {
    const auto wanted = std::min<std::uint64_t>(left_, block_pool::block_bytes);
    const iovec room{block_.get(), wanted};
    const auto at = static_cast<off_t>(at_);
    auto count = ::preadv2(file_.get(), &room, 1, at, RWF_NOWAIT);
    if (count < 0 && errno == EAGAIN && waits_ < waits_max) {
        ++waits_;
        ::posix_fadvise(file_.get(), at, ahead_bytes, POSIX_FADV_WILLNEED);
        return {state::later, {}, false};
    }
    if (count < 0) {
        count = ::preadv2(file_.get(), &room, 1, at, 0);
    }
    if (count <= 0) {
        return {state::broken, {}, false};
    }
    waits_ = 0;
    at_ += static_cast<std::uint64_t>(count);
    left_ -= static_cast<std::uint64_t>(count);
    return {state::piece, {block_.get(), static_cast<std::size_t>(count)}, left_ == 0};
}

} // namespace relais::gateway
