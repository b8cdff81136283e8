#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::gateway {

/// An instance of a service, as one loop sees it.
struct instance_view {
    std::string address;
    bool ready = false;
    bool ejected = false;
    std::size_t in_flight = 0;
    std::int64_t bytes_in_flight = 0;
    std::chrono::nanoseconds latency{}; ///< the moving average of what it takes to answer
    std::size_t connections = 0;
    std::size_t idle = 0; ///< of them
};

struct service_view {
    std::string name;
    std::size_t waiting = 0; ///< requests, for their turn
    std::vector<instance_view> instances;
};

/// How fast a body goes: between two looks, smoothed.
class transfer_pace {
public:
    using time_point = std::chrono::steady_clock::time_point;

    void begin(time_point now) {
        *this = {};
        looked_at_ = now;
    }

    /// Bytes a second.
    double look(std::uint64_t bytes, time_point now);

private:
    time_point looked_at_{};
    std::uint64_t bytes_ = 0;
    double rate_ = 0;
    bool measured_ = false;
};

/// A request with a large body that is not answered yet.
struct upload_view {
    std::string request_id;
    std::uint16_t route = 0; ///< as the others in access_names
    std::uint16_t upstream = 0;
    std::uint16_t instance = 0;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> size; ///< unknown: chunked
    double bytes_per_second = 0;       ///< of late
    std::chrono::milliseconds age{};

    /// Unknown where the size is not known, or while nothing comes.
    std::optional<std::chrono::seconds> time_left() const;
};

/// What all uploads of one loop or of all are together.
struct upload_sums {
    std::size_t count = 0;
    std::size_t unknown = 0; ///< of them, nobody knows how long they will take
    std::uint64_t bytes_left = 0;
    std::chrono::seconds longest{}; ///< time left, of those of which it is known

    void add(const upload_view& one);
    void add(const upload_sums& others);
};

/// One event loop at one moment.
struct loop_view {
    std::size_t connections = 0;
    std::size_t requests = 0;
    std::vector<service_view> services;
    std::vector<upload_view> uploads; ///< those with most left, not all when they are very many
    upload_sums sums;                 ///< of all of them
};

/// Rows of uploads that a loop shows.
inline constexpr std::size_t uploads_shown_max = 100;

} // namespace relais::gateway
