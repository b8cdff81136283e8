#include "gateway/exchange/request_limits.hpp"

#include "gateway/limits/address_key.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::chrono::milliseconds upload_retry_after{1'000};

std::string_view bytes_of(const uuid& id) {
    return {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()};
}

} // namespace

void request_limits::begin() {
    count_ = 0;
    upload_.reset();
}

result<void> request_limits::take(const limit_rule& rule, const route& which, shared_limits& shared,
                                  std::string_view subject, time_point now) {
    const auto said = shared.rates.take(rule.id, subject, rule.allowed, which.cost, now);
    if (count_ < reports_.size()) {
        reports_.at(count_++) = {rule.name, &rule.allowed, said};
    }
    if (said.allowed) {
        return {};
    }
    constexpr std::chrono::nanoseconds day = std::chrono::hours(24);
    return std::unexpected(
        error{error_kind::rate_limited, "rate-limited", fmt::format("limit {}", rule.name), "",
              std::chrono::ceil<std::chrono::milliseconds>(std::min(said.retry_after, day))});
}

result<void> request_limits::take_for_address(const route_table& table, const route& which,
                                              shared_limits& shared, const ip_address& client,
                                              time_point now) {
    for (const auto index : which.limits) {
        const auto& rule = table.limits[index];
        if (rule.subject != limit_subject::address) {
            continue;
        }
        const address_key key(client, table.v6_prefix);
        if (auto taken = take(rule, which, shared, key.bytes(), now); !taken) {
            return taken;
        }
    }
    return {};
}

result<void> request_limits::take_for_caller(const route_table& table, const route& which,
                                             shared_limits& shared, const known_caller& caller,
                                             time_point now) {
    for (const auto index : which.limits) {
        const auto& rule = table.limits[index];
        if (rule.subject == limit_subject::address) {
            continue;
        }
        const auto subject = rule.subject == limit_subject::account
                                 ? bytes_of(caller.who.account.value())
                                 : std::string_view(caller.who.credential_id);
        if (auto taken = take(rule, which, shared, subject, now); !taken) {
            return taken;
        }
    }
    return {};
}

result<void> request_limits::take_upload(const route_table& table, const route& which,
                                         shared_limits& shared, const ip_address& client,
                                         const known_caller* caller) {
    const address_key key(client, table.v6_prefix);
    const auto subject = caller != nullptr ? bytes_of(caller->who.account.value()) : key.bytes();
    upload_ = shared.uploads.acquire(which.id, subject, which.uploads_max);
    if (!upload_) {
        return std::unexpected(error{error_kind::rate_limited, "too-many-uploads",
                                     fmt::format("at most {} at a time", which.uploads_max), "",
                                     upload_retry_after});
    }
    return {};
}

void request_limits::write_fields(answer_head& to) {
    if (count_ == 0) {
        return;
    }
    const std::span said(reports_.data(), count_);
    policy_.clear();
    limit_.clear();
    append_ratelimit_policy(policy_, said);
    append_ratelimit(limit_, said);
    to.fields.push_back({ratelimit_policy_field, policy_});
    to.fields.push_back({ratelimit_field, limit_});
}

} // namespace relais::gateway
