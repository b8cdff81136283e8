#include "gateway/access/request_stats.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace relais::gateway {
namespace {

constexpr std::uint16_t status_max = 999;
constexpr std::uint16_t status_class = 100;
/// Cells for the route "other" when the rest is used up: methods by the statuses that are common.
constexpr std::size_t cells_reserved = 256;
/// And for when those are, too: one a class of status.
constexpr std::size_t cells_last = status_max / status_class + 1;

constexpr std::array<std::string_view, 8> methods{"GET",   "HEAD",   "POST",    "PUT",
                                                  "PATCH", "DELETE", "OPTIONS", "other"};

/// Never 0.
std::uint64_t key_of(std::uint16_t route, method_label method, std::uint16_t status) {
    constexpr std::uint64_t used = std::uint64_t{1} << 48U;
    return used | (std::uint64_t{route} << 24U) | (static_cast<std::uint64_t>(method) << 16U) |
           status;
}

std::size_t hash_of(std::uint64_t key) {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U; // Knuth's multiplicative hashing
    return static_cast<std::size_t>((key * golden) >> 32U);
}

} // namespace

method_label label_of(std::string_view method) noexcept {
    const auto* const found = std::ranges::find(methods.begin(), methods.end() - 1, method);
    return static_cast<method_label>(found - methods.begin());
}

std::string_view to_string(method_label label) {
    return methods[static_cast<std::size_t>(label)];
}

std::string_view to_string(upstream_phase phase) {
    static constexpr std::array<std::string_view, upstream_phase_count> words{
        "queue", "connect", "service", "transfer"};
    return words[static_cast<std::size_t>(phase)];
}

request_stats::request_stats(const access_names& names, std::size_t cells_max)
    : cells_max_(cells_max), requests_(cells_max + cells_reserved + cells_last),
      places_(std::bit_ceil(2 * (cells_max + cells_reserved + cells_last))),
      upstreams_max_(names.upstreams.capacity()),
      upstreams_(std::make_unique<std::atomic<upstream_cells*>[]>(upstreams_max_)) {
    // What is counted where there is no memory for anything better.
    for (const auto index : {name_table::none, name_table::other}) {
        upstreams_[index].store(new upstream_cells(), std::memory_order_relaxed);
    }
    for (std::uint16_t status = 0; status <= status_max; status += status_class) {
        if (find_or_make(name_table::other, method_label::other, status, cells_last) == nullptr) {
            throw std::bad_alloc();
        }
    }
}

request_stats::~request_stats() {
    for (std::size_t i = 0; i < upstreams_max_; ++i) {
        delete upstreams_[i].load(std::memory_order_relaxed);
    }
}

void request_stats::observe(const access_record& record) noexcept {
    const auto status = std::min(record.status, status_max);
    cell_for(record.route, label_of(record.method.view()), status)->durations.observe(record.total);
    if (record.cache != cache_status::none) {
        add_alone(cached_[static_cast<std::size_t>(record.cache)], 1);
    }
    if (record.upstream == name_table::none && record.reason == error_reason::none) {
        return;
    }
    auto& upstream = cells_of(record.upstream);
    const auto add_phase = [&](upstream_phase phase, std::chrono::microseconds duration) {
        if (duration != not_reached) {
            upstream.phases[static_cast<std::size_t>(phase)].observe(duration);
        }
    };
    add_phase(upstream_phase::queue, record.queue);
    add_phase(upstream_phase::connect, record.connect);
    add_phase(upstream_phase::service, record.service);
    add_phase(upstream_phase::transfer, record.transfer);
    if (record.reason != error_reason::none) {
        add_alone(upstream.errors[static_cast<std::size_t>(record.reason)], 1);
    }
}

request_cell* request_stats::cell_for(std::uint16_t route, method_label method,
                                      std::uint16_t status) noexcept {
    const std::size_t usual = cells_max_ + cells_last;
    auto* cell = find_or_make(route, method, status, usual);
    if (cell == nullptr) {
        cell = find_or_make(name_table::other, method, status, usual + cells_reserved);
    }
    if (cell == nullptr) { // the constructor made these
        const auto rounded = static_cast<std::uint16_t>(status / status_class * status_class);
        cell = find_or_make(name_table::other, method_label::other, rounded, 0);
    }
    return cell;
}

/// nullptr: there is none, and there are `cells_max` cells already.
request_cell* request_stats::find_or_make(std::uint16_t route, method_label method,
                                          std::uint16_t status, std::size_t cells_max) noexcept {
    const auto key = key_of(route, method, status);
    const std::size_t mask = places_.size() - 1;
    std::size_t at = hash_of(key) & mask;
    while (places_[at].key != 0 && places_[at].key != key) {
        at = (at + 1) & mask;
    }
    if (places_[at].key == 0 && requests_.size() < cells_max) {
        auto* const made = requests_.append([&](request_cell& cell) {
            cell.route = route;
            cell.method = method;
            cell.status = status;
        });
        if (made != nullptr) {
            places_[at] = {key, made};
        }
    }
    return places_[at].cell;
}

upstream_cells& request_stats::cells_of(std::uint16_t upstream) noexcept {
    const auto index = upstream < upstreams_max_ ? upstream : name_table::other;
    auto* found = upstreams_[index].load(std::memory_order_relaxed);
    if (found == nullptr) {
        found = new (std::nothrow) upstream_cells();
        if (found == nullptr) {
            return *upstreams_[name_table::other].load(std::memory_order_relaxed);
        }
        upstreams_[index].store(found, std::memory_order_release);
    }
    return *found;
}

} // namespace relais::gateway
