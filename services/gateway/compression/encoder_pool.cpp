#include "gateway/compression/encoder_pool.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

std::unique_ptr<encoder> make(coding which, int level) {
    switch (which) {
    case coding::gzip:
        return make_gzip_encoder(level);
    case coding::brotli:
        return make_brotli_encoder(level);
    case coding::zstd:
        return make_zstd_encoder(level);
    case coding::identity:
        break;
    }
    return nullptr;
}

} // namespace

encoder_pool::lease encoder_pool::take(coding which, int level) {
    if (used_ >= used_max) {
        return {};
    }
    const auto known = std::ranges::find_if(
        idle_, [&](const idle& each) { return each.which == which && each.level == level; });
    std::unique_ptr<encoder> got;
    if (known != idle_.end()) {
        got = std::move(known->held);
        *known = std::move(idle_.back());
        idle_.pop_back();
    } else {
        got = make(which, level);
    }
    if (got == nullptr) {
        return {};
    }
    got->begin();
    ++used_;
    return {*this, std::move(got), which, level};
}

void encoder_pool::lease::give_back() {
    if (held_ == nullptr) {
        return;
    }
    --from_->used_;
    if (which_ != coding::brotli && from_->idle_.size() < kept_max) {
        from_->idle_.push_back({std::move(held_), which_, level_});
    }
    held_.reset();
}

} // namespace relais::gateway
