#include "http/socket_shelf.hpp"

#include <algorithm>
#include <unistd.h>

namespace relais::http {

socket_shelf::~socket_shelf() {
    clear();
}

void socket_shelf::put(const std::string& name, int descriptor) {
    const auto [place, added] = inherited_.try_emplace(name, descriptor);
    if (!added) {
        ::close(descriptor);
    }
}

int socket_shelf::take(const std::string& name) {
    const auto found = inherited_.find(name);
    if (found == inherited_.end()) {
        return -1;
    }
    const int descriptor = found->second;
    inherited_.erase(found);
    return descriptor;
}

void socket_shelf::clear() {
    for (const auto& [name, descriptor] : inherited_) {
        ::close(descriptor);
    }
    inherited_.clear();
}

void socket_shelf::add_open(const std::string& name, int descriptor) {
    open_.emplace_back(name, descriptor);
}

void socket_shelf::remove_open(int descriptor) {
    std::erase_if(open_, [descriptor](const auto& each) { return each.second == descriptor; });
}

} // namespace relais::http
