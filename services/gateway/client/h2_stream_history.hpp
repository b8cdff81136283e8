#pragma once

#include "gateway/client/h2_frame_scanner.hpp"

#include <cstdint>

namespace relais::gateway {

/// Which of its latest streams a client has begun and ended, by its own frames. What it sends on a
/// stream that it had ended is an error (RFC 9113 §5.1), while what comes behind a reset of ours
/// was under way and is ignored; whoever keeps no closed streams cannot tell the two apart.
class h2_stream_history {
public:
    enum class finding {
        fine,  ///< or nothing to say about it
        ended, ///< the client had ended this stream
        unused ///< a new stream that is not above all others (RFC 9113 §5.1.1)
    };

    /// Each frame, in order.
    finding on_frame(const h2_frame& frame);

private:
    static constexpr std::uint32_t kept = 64;

    std::uint32_t last_ = 0;  ///< the highest stream so far
    std::uint64_t used_ = 0;  ///< bit i: stream last_ - 2 i
    std::uint64_t ended_ = 0; ///< likewise
};

} // namespace relais::gateway
