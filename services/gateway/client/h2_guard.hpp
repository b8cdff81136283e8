#pragma once

#include "gateway/client/h2_event.hpp"
#include "gateway/client/h2_frame_scanner.hpp"
#include "gateway/client/h2_stream_history.hpp"

#include <chrono>
#include <optional>

namespace relais::gateway {

/// Counts what a connection's client may do for free in HTTP/2 and tells when it is too much:
/// frames that make us work, or answer, and bring nothing. Each kind has a budget that fills with
/// time (GCRA), several times what browsers, gRPC and curl need. Also finds errors that the library
/// below overlooks because it keeps no closed streams and no priorities. Does not rely on the
/// limits of the library below, which differ from version to version.
class h2_guard {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Each frame of the client, in order. What it is too much of, if anything.
    std::optional<h2_event> on_frame(const h2_frame& frame, time_point now);

    /// We had to reset a stream because of what the client sent: as good as a reset of its own
    /// (CVE-2025-8671).
    std::optional<h2_event> on_reset_provoked(time_point now);

    /// A DATA frame went out: its reader will open the window again.
    void on_data_sent();

    /// Whether a header block began and is not whole.
    bool inside_header_block() const {
        return inside_block_;
    }

private:
    class budget {
    public:
        /// So many at once, and then so many a second.
        budget(unsigned burst, unsigned per_second)
            : emission_(std::chrono::nanoseconds(std::chrono::seconds(1)) / per_second),
              capacity_(emission_ * burst) {}

        bool take(time_point now);

        void give_back(int count) {
            full_at_ -= emission_ * count;
        }

    private:
        std::chrono::nanoseconds emission_;
        std::chrono::nanoseconds capacity_;
        time_point full_at_{}; ///< when the budget is whole again
    };

    std::optional<h2_event> on_block(const h2_frame& frame);

    std::optional<h2_event> on_priority(const h2_frame& frame, time_point now);

    h2_stream_history streams_;
    bool inside_block_ = false;
    unsigned continuations_ = 0;    ///< of the current header block
    std::uint32_t block_bytes_ = 0; ///< as sent, packed
    budget resets_{200, 20};
    budget settings_{30, 1};
    budget pings_{200, 20};
    budget empty_data_{100, 10};
    budget window_updates_{1'000, 100};
    budget others_{500, 50};
};

} // namespace relais::gateway
