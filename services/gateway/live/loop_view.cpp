#include "gateway/live/loop_view.hpp"

#include "gateway/edge.hpp"

#include <algorithm>

namespace relais::gateway {

double transfer_pace::look(std::uint64_t bytes, time_point now) {
    constexpr std::chrono::milliseconds too_soon{300};
    constexpr double of_late = 0.4; // what the last look counts
    if (now - looked_at_ < too_soon) {
        return rate_;
    }
    const std::chrono::duration<double> passed = now - looked_at_;
    const auto rate = static_cast<double>(bytes - bytes_) / passed.count();
    rate_ = measured_ ? rate_ + of_late * (rate - rate_) : rate;
    measured_ = true;
    bytes_ = bytes;
    looked_at_ = now;
    return rate_;
}

std::optional<std::chrono::seconds> upload_view::time_left() const {
    constexpr double no_progress = 1; // byte a second
    constexpr double longest = 1e6;
    if (!size || (bytes < *size && bytes_per_second < no_progress)) {
        return std::nullopt;
    }
    const auto left = static_cast<double>(*size - std::min(bytes, *size));
    const double seconds = left == 0 ? 0 : std::min(left / bytes_per_second, longest);
    return std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double>(seconds));
}

void upload_sums::add(const upload_view& one) {
    ++count;
    bytes_left += one.size ? *one.size - std::min(one.bytes, *one.size) : 0;
    const auto left = one.time_left();
    unknown += left ? 0 : 1;
    longest = std::max(longest, left.value_or(std::chrono::seconds(0)));
}

void upload_sums::add(const upload_sums& others) {
    count += others.count;
    unknown += others.unknown;
    bytes_left += others.bytes_left;
    longest = std::max(longest, others.longest);
}

bool exchange::is_upload() const {
    constexpr std::int64_t large = std::int64_t{64} * 1024;
    return client_ != nullptr && body_weight_ > large && phase_ != phase::tunnel &&
           phase_ != phase::refusing;
}

upload_view exchange::look(steady::time_point now) {
    upload_view out;
    out.request_id = record_.request_id.view();
    out.route = record_.route;
    out.upstream = record_.upstream;
    out.instance = record_.upstream_instance;
    out.bytes = record_.request_bytes;
    if (body_size_ > 0) {
        out.size = body_size_;
    }
    out.bytes_per_second = pace_.look(out.bytes, now);
    out.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - record_.started);
    return out;
}

service_view service::look(std::chrono::steady_clock::time_point now) const {
    service_view out;
    out.name = name();
    out.waiting = waiting_.size();
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto& place = places_[i];
        const auto state = balancer_.look(i, now);
        if (place.gone && state.in_flight == 0) {
            continue;
        }
        out.instances.push_back({.address = std::string(instance_names_.name(place.label)),
                                 .ready = state.ready && !place.gone,
                                 .ejected = state.ejected,
                                 .in_flight = state.in_flight,
                                 .bytes_in_flight = state.bytes_in_flight,
                                 .latency = state.latency,
                                 .connections = place.connections,
                                 .idle = place.idle.size()});
    }
    return out;
}

loop_view edge::look() {
    const auto now = std::chrono::steady_clock::now();
    loop_view out;
    if (plan_ == nullptr) {
        return out; // it is about to go: what was posted still runs
    }
    out.connections = clients_.size();
    for (const auto& each : plan_->services) {
        out.services.push_back(each->look(now));
    }
    for (const auto& each : exchanges_) {
        out.requests += each->is_idle() ? 0 : 1;
        if (each->is_upload()) {
            out.uploads.push_back(each->look(now));
            out.sums.add(out.uploads.back());
        }
    }
    if (out.uploads.size() > uploads_shown_max) {
        std::ranges::partial_sort(
            out.uploads, out.uploads.begin() + uploads_shown_max, {}, [](const upload_view& each) {
                return -each.time_left().value_or(std::chrono::seconds::max()).count();
            });
        out.uploads.resize(uploads_shown_max);
    }
    return out;
}

} // namespace relais::gateway
