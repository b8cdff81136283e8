#include "inbox/event_buffers.hpp"

#include <algorithm>

namespace relais::inbox {
namespace {

/// As many as there are transactions at a time, usually.
constexpr std::size_t spare_max = 4;
/// Large messages are not kept room for.
constexpr std::size_t spare_bytes_max = std::size_t{1024} * 1024;

} // namespace

void event_buffer::read(const kafka::fetched& records) {
    slots_.reserve(std::max(slots_.size(), used_ + records.size()));
    for (std::size_t i = 0; i < records.size(); ++i, ++used_) {
        if (used_ == slots_.size()) {
            slots_.push_back({records[i], events::event()});
        }
        slots_[used_].record = records[i];
        records[i].read(slots_[used_].event);
    }
}

std::size_t event_buffer::capacity_bytes() const {
    std::size_t bytes = 0;
    for (const auto& each : slots_) {
        bytes += each.event ? each.event->payload.capacity() : 0;
    }
    return bytes;
}

event_buffers::event_buffers() : spare_(std::make_shared<list>()) {}

std::shared_ptr<event_buffer> event_buffers::take() {
    auto next = std::make_unique<event_buffer>();
    if (!spare_->empty()) {
        next = std::move(spare_->back());
        spare_->pop_back();
    }
    return {next.release(), [home = std::weak_ptr(spare_)](event_buffer* used) {
                std::unique_ptr<event_buffer> owned(used);
                if (const auto spare = home.lock()) {
                    give_back(*spare, std::move(owned));
                }
            }};
}

void event_buffers::give_back(list& to, std::unique_ptr<event_buffer> used) {
    if (to.size() < spare_max && used->capacity_bytes() <= spare_bytes_max) {
        used->used_ = 0;
        to.push_back(std::move(used));
    }
}

} // namespace relais::inbox
