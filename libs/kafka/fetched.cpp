#include "kafka/fetched.hpp"

namespace relais::kafka {

fetched::fetched() : state_(std::make_unique<state>()) {}

fetched::~fetched() = default;
fetched::fetched(fetched&& other) noexcept = default;
fetched& fetched::operator=(fetched&& other) noexcept = default;

std::size_t fetched::size() const {
    return state_->messages.size();
}

std::vector<record> fetched::read() {
    std::vector<record> records;
    records.reserve(state_->messages.size());
    for (const auto* message : state_->messages) {
        records.push_back(native::to_record(*message, state_->topic_prefix));
    }
    state_->messages.clear();
    state_->events.clear();
    return records;
}

} // namespace relais::kafka
