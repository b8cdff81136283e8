#include "gateway/access/access_names.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::size_t capacity_min = 2;
constexpr std::size_t capacity_max = 65'536;

} // namespace

name_table::name_table(std::size_t capacity)
    : capacity_(std::clamp(capacity, capacity_min, capacity_max)),
      names_(std::make_unique<std::string[]>(capacity_)) {
    names_[other] = "other";
    known_.emplace("", none);
    known_.emplace("other", other);
    size_.store(capacity_min, std::memory_order_release);
}

std::uint16_t name_table::index_of(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known != known_.end()) {
        return known->second;
    }
    const std::size_t next = size_.load(std::memory_order_relaxed);
    if (next == capacity_) {
        return other;
    }
    names_[next] = name;
    const auto index = static_cast<std::uint16_t>(next);
    known_.emplace(name, index);
    size_.store(next + 1, std::memory_order_release);
    return index;
}

std::string_view name_table::name(std::uint16_t index) const noexcept {
    return names_[index < size() ? index : other];
}

} // namespace relais::gateway
