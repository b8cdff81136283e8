#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace relais::gateway {

/// Room for the one asynchronous operation of its kind that a connection has under way, so that
/// waiting for a socket allocates nothing. A second one at the same time, or a larger one, comes
/// from the heap.
class operation_memory {
public:
    static constexpr std::size_t bytes = 192;

    void* take(std::size_t size) {
        if (!taken_ && size <= bytes) {
            taken_ = true;
            return room_.data();
        }
        return ::operator new(size);
    }

    void give(void* pointer) {
        if (pointer == room_.data()) {
            taken_ = false;
        } else {
            ::operator delete(pointer);
        }
    }

private:
    alignas(std::max_align_t) std::array<std::byte, bytes> room_;
    bool taken_ = false;
};

/// The allocator that Asio asks, see boost::asio::bind_allocator.
template <class T>
class operation_allocator {
public:
    using value_type = T;

    explicit operation_allocator(operation_memory& memory) : memory_(&memory) {}

    template <class Other>
    // NOLINTNEXTLINE(google-explicit-constructor): allocators rebind implicitly
    operation_allocator(const operation_allocator<Other>& other) : memory_(other.memory_) {}

    T* allocate(std::size_t count) {
        return static_cast<T*>(memory_->take(count * sizeof(T)));
    }

    void deallocate(T* pointer, std::size_t) {
        memory_->give(pointer);
    }

    template <class Other>
    bool operator==(const operation_allocator<Other>& other) const {
        return memory_ == other.memory_;
    }

private:
    template <class Other>
    friend class operation_allocator;

    operation_memory* memory_;
};

} // namespace relais::gateway
