#pragma once

// For the .cpp files of this library only.

#include "kafka/consumer.hpp"
#include "kafka/native.hpp"

namespace relais::kafka {

struct fetched::state {
    std::string topic;
    std::vector<native::owned_message> messages;
    std::size_t bytes = 0; ///< of keys and values
};

} // namespace relais::kafka
