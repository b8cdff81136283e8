#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace relais::gateway {

/// Gives names short numbers that stay the same for the life of the process, so that a number in a
/// record or a counter means the same before and after a reload of the configuration, and nobody
/// has to know which generation it comes from. Only grows, up to its capacity; what comes then is
/// `other`.
class name_table {
public:
    static constexpr std::uint16_t none = 0;  ///< ""
    static constexpr std::uint16_t other = 1; ///< "other"

    /// At least 2 (none and other), at most 65,536.
    explicit name_table(std::size_t capacity);

    /// The number of a name, a new one if need be. Takes a lock: when configuration is read or a
    /// name resolved, not for a request. The empty name is none, and a full table gives other.
    std::uint16_t index_of(std::string_view name);

    /// Any thread, no lock. A number that was never given out reads as "other". Valid as long as
    /// the table.
    std::string_view name(std::uint16_t index) const noexcept;

    /// Numbers below this are given out.
    std::size_t size() const noexcept {
        return size_.load(std::memory_order_acquire);
    }

    std::size_t capacity() const noexcept {
        return capacity_;
    }

private:
    std::size_t capacity_;
    std::unique_ptr<std::string[]> names_; ///< written once each, below size_ immutable
    std::atomic<std::size_t> size_{0};
    std::mutex mutex_; ///< of those who add
    std::map<std::string, std::uint16_t, std::less<>> known_;
};

/// The names that records and figures speak of. One for the process; outlives all who read it.
struct access_names {
    name_table routes{2'048};    ///< prefixes as configured
    name_table upstreams{1'024}; ///< names of services
    name_table instances{4'096}; ///< addresses of their instances: "10.0.0.7:8411"
};

} // namespace relais::gateway
