#include "gateway/access/recent_requests.hpp"

#include <fmt/format.h>

namespace relais::gateway {
namespace {

/// What is looked for; read once, compared with thousands.
struct wanted {
    std::string_view request_id;
    std::optional<trace::context> trace;

    explicit wanted(std::string_view id) : request_id(id) {
        constexpr std::size_t trace_digits = 32;
        if (id.size() == trace_digits) {
            trace = trace::context::parse(fmt::format("00-{}-0000000000000001-00", id));
        }
    }

    bool is(const access_record& record) const {
        return record.request_id.view() == request_id ||
               (trace && record.trace.trace_id == trace->trace_id);
    }
};

} // namespace

recent_requests::recent_requests(std::size_t each_max) : each_max_(each_max) {}

void recent_requests::memory::note(const access_record& record, std::size_t at_most) {
    if (records.size() < at_most) {
        records.push_back(record);
    } else {
        records[next] = record;
    }
    next = (next + 1) % at_most;
}

template <class Each>
void recent_requests::memory::look_back(Each wants) const {
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto behind = next + records.size() - 1 - i;
        if (!wants(records[behind % records.size()])) {
            return;
        }
    }
}

void recent_requests::note(const access_record& record, bool notable) {
    if (each_max_ == 0) {
        return;
    }
    const std::scoped_lock lock(mutex_);
    all_.note(record, each_max_);
    if (notable) {
        notable_.note(record, each_max_);
    }
}

std::optional<access_record> recent_requests::find(std::string_view id) const {
    const wanted what(id);
    std::optional<access_record> found;
    const auto look = [&](const access_record& each) {
        if (what.is(each)) {
            found = each;
        }
        return !found.has_value();
    };
    const std::scoped_lock lock(mutex_);
    all_.look_back(look);
    if (!found) {
        notable_.look_back(look);
    }
    return found;
}

std::vector<access_record> recent_requests::notable(std::size_t at_most) const {
    std::vector<access_record> out;
    out.reserve(at_most);
    const std::scoped_lock lock(mutex_);
    notable_.look_back([&](const access_record& each) {
        if (out.size() < at_most) {
            out.push_back(each);
        }
        return out.size() < at_most;
    });
    return out;
}

} // namespace relais::gateway
