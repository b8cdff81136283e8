#include "gateway/channel/body_reader.hpp"

#include <algorithm>
#include <cstring>

namespace relais::gateway {

result<body_reader::piece> body_reader::take(read_buffer& from) {
    char* const start = from.at(0);
    std::size_t size = 0;
    while (!from.empty() && !decoder_.finished()) {
        const auto step = decoder_.feed(from.unread());
        if (!step) {
            return fail(step);
        }
        // Behind the first piece of a chunk come the framing's bytes: close the gap.
        if (!step->data.empty()) {
            if (size == 0) {
                size = step->data.size();
                if (step->data.data() != start) {
                    std::memmove(start, step->data.data(), size);
                }
            } else {
                std::memmove(start + size, step->data.data(), step->data.size());
                size += step->data.size();
            }
        }
        from.used(step->consumed);
    }
    seen_ += size;
    left_ -= std::min<std::uint64_t>(left_, size);
    return piece{{start, size}, decoder_.finished()};
}

} // namespace relais::gateway
