#pragma once

#include "gateway/files/open_below.hpp"
#include "gateway/loop/read_buffer.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace relais::gateway {

/// A body that the gateway itself has, in memory or in a file, given out in pieces. Reused from
/// request to request.
class body_source {
public:
    explicit body_source(block_pool& blocks) : blocks_(blocks) {}

    ~body_source() {
        end();
    }

    body_source(const body_source&) = delete;
    body_source& operator=(const body_source&) = delete;

    /// `keeps` holds the bytes; who else does is its business.
    void begin(std::string_view content, std::shared_ptr<const void> keeps);
    void begin(open_file file, std::uint64_t first, std::uint64_t count);
    void end();

    bool active() const {
        return active_;
    }

    enum class state {
        piece, ///< there is one, valid until the next call
        later, ///< it is still on its way from the disk: ask again in a moment
        broken ///< the file is shorter than it was
    };

    struct part {
        state is = state::piece;
        std::string_view bytes;
        bool last = false;
    };

    part next();

private:
    part read();

    block_pool& blocks_;
    std::shared_ptr<const void> keeps_;
    std::string_view content_;
    open_file file_;
    std::unique_ptr<char[]> block_;
    std::uint64_t at_ = 0;
    std::uint64_t left_ = 0;
    int waits_ = 0;
    bool active_ = false;
};

} // namespace relais::gateway
