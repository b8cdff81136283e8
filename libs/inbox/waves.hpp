#pragma once

#include "inbox/handlers.hpp"

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relais::inbox {

/// Events of a batch that go to one handler, each of another key.
struct wave_part {
    const handling* with = nullptr;
    std::vector<std::size_t> events; ///< indexes, ascending
};

/// In what order the events of a batch are run, so that batch handlers get many at once: the first
/// events of all keys, then the second ones, and so on. Keys do not wait for each other; within a
/// key the order stays. Free of IO.
class waves {
public:
    /// Events come in their order. The key must live as long as this.
    void add(std::size_t index, std::string_view key, const handling& with);

    /// The parts, in the order in which they are to be run.
    std::vector<wave_part> take();

private:
    std::unordered_map<std::string_view, std::size_t> seen_; ///< events of a key so far
    std::vector<std::vector<wave_part>> waves_;
};

} // namespace relais::inbox
