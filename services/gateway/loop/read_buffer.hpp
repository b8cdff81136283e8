#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// Large blocks of one event loop, kept for the next who needs one.
class block_pool {
public:
    static constexpr std::size_t block_bytes = std::size_t{64} * 1024;

    std::unique_ptr<char[]> take() {
        if (free_.empty()) {
            return std::unique_ptr<char[]>(new char[block_bytes]); // not cleared
        }
        auto block = std::move(free_.back());
        free_.pop_back();
        return block;
    }

    void give(std::unique_ptr<char[]> block) {
        if (free_.size() < kept_max) {
            free_.push_back(std::move(block));
        }
    }

private:
    static constexpr std::size_t kept_max = 64;
    std::vector<std::unique_ptr<char[]>> free_;
};

/// What came from a socket and is not used up yet: a small piece of memory as long as little comes,
/// a block of the pool while much does. Bytes never move while somebody holds views into them:
/// only make_room(), grow() and shrink() move.
class read_buffer {
public:
    read_buffer(block_pool& pool, std::size_t small_bytes)
        : pool_(pool), small_bytes_(small_bytes), small_(new char[small_bytes]),
          memory_(small_.get()), capacity_(small_bytes) {}

    ~read_buffer() {
        if (block_ != nullptr) {
            pool_.give(std::move(block_));
        }
    }

    read_buffer(const read_buffer&) = delete;
    read_buffer& operator=(const read_buffer&) = delete;

    std::string_view unread() const {
        return {memory_ + begin_, end_ - begin_};
    }

    bool empty() const {
        return begin_ == end_;
    }

    /// The free bytes at the end, without moving anything.
    std::span<char> tail() const {
        return {memory_ + end_, capacity_ - end_};
    }

    void added(std::size_t count) {
        end_ += count;
    }

    void used(std::size_t count) {
        begin_ += count;
    }

    /// Writable bytes at an offset of unread().
    char* at(std::size_t offset) const {
        return memory_ + begin_ + offset;
    }

    /// Moves what is unread to the front.
    void make_room() {
        if (begin_ > 0) {
            std::memmove(memory_, memory_ + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
    }

    bool is_large() const {
        return block_ != nullptr;
    }

    /// Goes on in a block of the pool.
    void grow() {
        if (block_ == nullptr) {
            block_ = pool_.take();
            move_to(block_.get(), block_pool::block_bytes);
        }
    }

    /// Back to the small memory, if what is unread fits.
    void shrink() {
        if (block_ != nullptr && end_ - begin_ <= small_bytes_) {
            move_to(small_.get(), small_bytes_);
            pool_.give(std::move(block_));
        }
    }

private:
    void move_to(char* where, std::size_t capacity) {
        std::memcpy(where, memory_ + begin_, end_ - begin_);
        memory_ = where;
        capacity_ = capacity;
        end_ -= begin_;
        begin_ = 0;
    }

    block_pool& pool_;
    std::size_t small_bytes_;
    std::unique_ptr<char[]> small_;
    std::unique_ptr<char[]> block_;
    char* memory_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace relais::gateway
