#pragma once

#include "gateway/access/access_names.hpp"
#include "gateway/access/access_record.hpp"
#include "gateway/access/stats_cells.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// The methods that have a label of their own; what a client makes up is other.
enum class method_label : std::uint8_t { get, head, post, put, patch, erase, options, other };

method_label label_of(std::string_view method) noexcept;
/// "GET", "DELETE" …, "other".
std::string_view to_string(method_label label);

/// The phases of gateway_upstream_duration_seconds.
enum class upstream_phase : std::uint8_t { queue, connect, service, transfer };
inline constexpr std::size_t upstream_phase_count = 4;
std::string_view to_string(upstream_phase phase);

/// What requests of this kind took.
struct request_cell {
    std::uint16_t route = 0;
    method_label method = method_label::other;
    std::uint16_t status = 0;
    duration_cells durations;
};

/// What one service did.
struct upstream_cells {
    std::array<duration_cells, upstream_phase_count> phases;
    std::array<std::atomic<std::uint64_t>, error_reason_count> errors{};
};

/// The figures of one loop: rate, errors and durations by route, method and status; phases and
/// failures by service. One thread writes, with plain stores and no lock; any thread reads at any
/// time, through request_metrics. Cells are made when they are first needed and stay.
class request_stats {
public:
    static constexpr std::size_t cells_max_default = 4'096;

    /// At most `cells_max` kinds of requests have figures of their own; what comes then counts
    /// under the route "other".
    explicit request_stats(const access_names& names, std::size_t cells_max = cells_max_default);
    ~request_stats();
    request_stats(const request_stats&) = delete;
    request_stats& operator=(const request_stats&) = delete;

    /// The writing thread, as the four below. Once for each request that is over.
    void observe(const access_record& record) noexcept;

    void request_began() noexcept {
        add(active_requests_, 1);
    }

    void request_ended() noexcept {
        add(active_requests_, -1);
    }

    void connection_opened() noexcept {
        add(connections_, 1);
    }

    void connection_closed() noexcept {
        add(connections_, -1);
    }

    std::int64_t active_requests() const noexcept {
        return active_requests_.load(std::memory_order_relaxed);
    }

    /// Any thread: requests that came to the response cache, by what it did.
    std::uint64_t cached(cache_status how) const noexcept {
        return cached_[static_cast<std::size_t>(how)].load(std::memory_order_relaxed);
    }

    std::int64_t connections() const noexcept {
        return connections_.load(std::memory_order_relaxed);
    }

    /// Any thread.
    const append_only<request_cell>& requests() const noexcept {
        return requests_;
    }

    /// Any thread; nullptr: nothing was counted for this one.
    const upstream_cells* upstream(std::uint16_t index) const noexcept {
        return upstreams_[index].load(std::memory_order_acquire);
    }

private:
    struct place {
        std::uint64_t key = 0; ///< 0: free
        request_cell* cell = nullptr;
    };

    static void add(std::atomic<std::int64_t>& to, std::int64_t by) noexcept {
        to.store(to.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    request_cell* cell_for(std::uint16_t route, method_label method, std::uint16_t status) noexcept;
    request_cell* find_or_make(std::uint16_t route, method_label method, std::uint16_t status,
                               std::size_t cells_max) noexcept;
    upstream_cells& cells_of(std::uint16_t upstream) noexcept;

    alignas(64) std::atomic<std::int64_t> active_requests_{0};
    std::atomic<std::int64_t> connections_{0};
    std::array<std::atomic<std::uint64_t>, cache_status_count> cached_{};
    std::size_t cells_max_;
    append_only<request_cell> requests_;
    std::vector<place> places_; ///< the writing thread's way to the cells: open addressing
    std::size_t upstreams_max_;
    std::unique_ptr<std::atomic<upstream_cells*>[]> upstreams_; ///< owned
};

} // namespace relais::gateway
