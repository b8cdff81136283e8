#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace relais::gateway {

/// A fixed piece of memory between a socket and whoever reads from it: bytes come in at the end and
/// are used up from the front. Never grows, so a connection costs what it costs.
class byte_buffer {
public:
    static constexpr std::size_t capacity = std::size_t{17} * 1024; ///< over the largest head

    std::string_view unread() const {
        return {memory_.get() + begin_, end_ - begin_};
    }

    bool empty() const {
        return begin_ == end_;
    }

    /// Room at the end; moves what is unread to the front first.
    std::span<char> room() {
        if (begin_ > 0) {
            std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        return {memory_.get() + end_, capacity - end_};
    }

    void added(std::size_t count) {
        end_ += count;
    }

    void used(std::size_t count) {
        begin_ += count;
    }

private:
    std::unique_ptr<char[]> memory_ = std::make_unique<char[]>(capacity);
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace relais::gateway
