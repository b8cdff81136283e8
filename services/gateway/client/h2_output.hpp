#pragma once

#include "gateway/loop/read_buffer.hpp"

#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace relais::gateway {

/// Frames on their way to the socket, in one block of the pool while there are any: answers of
/// several streams go out together, and a slow reader costs no more than the block.
class h2_output {
public:
    explicit h2_output(block_pool& pool) : pool_(pool) {}

    ~h2_output() {
        give_back();
    }

    h2_output(const h2_output&) = delete;
    h2_output& operator=(const h2_output&) = delete;

    std::size_t room() const {
        return block_pool::block_bytes - end_;
    }

    bool empty() const {
        return begin_ == end_;
    }

    std::string_view unsent() const {
        return {block_.get() + begin_, end_ - begin_};
    }

    /// At most room() bytes.
    void append(std::string_view bytes) {
        assert(bytes.size() <= room());
        if (block_ == nullptr) {
            block_ = pool_.take();
        }
        std::memcpy(block_.get() + end_, bytes.data(), bytes.size());
        end_ += bytes.size();
    }

    void used(std::size_t count) {
        begin_ += count;
        if (empty()) {
            give_back();
        }
    }

private:
    void give_back() {
        if (block_ != nullptr) {
            pool_.give(std::move(block_));
        }
        begin_ = end_ = 0;
    }

    block_pool& pool_;
    std::unique_ptr<char[]> block_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace relais::gateway
