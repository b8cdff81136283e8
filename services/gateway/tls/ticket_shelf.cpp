#include "gateway/tls/ticket_shelf.hpp"

namespace relais::gateway {
namespace {

constexpr std::size_t targets_max = 1'024;
constexpr std::size_t tickets_each_max = 4;

} // namespace

void ticket_shelf::put(std::string_view target, session_handle ticket) {
    auto found = tickets_.find(target);
    if (found == tickets_.end()) {
        if (tickets_.size() >= targets_max) {
            tickets_.clear();
        }
        found = tickets_.try_emplace(std::string(target)).first;
    }
    auto& kept = found->second;
    if (kept.size() >= tickets_each_max) {
        kept.erase(kept.begin());
    }
    kept.push_back(std::move(ticket));
}

session_handle ticket_shelf::take(std::string_view target) {
    const auto found = tickets_.find(target);
    if (found == tickets_.end() || found->second.empty()) {
        return nullptr;
    }
    auto out = std::move(found->second.back());
    found->second.pop_back();
    return out;
}

std::size_t ticket_shelf::count(std::string_view target) const {
    const auto found = tickets_.find(target);
    return found == tickets_.end() ? 0 : found->second.size();
}

void ticket_shelf::clear() {
    tickets_.clear();
}

} // namespace relais::gateway
