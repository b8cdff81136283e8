#include "gateway/identity/identity_cache.hpp"

#include "ids/random.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace relais::gateway {

identity_cache::identity_cache(edge_loop& loop, ask_function ask, std::size_t entries_max)
    : loop_(loop), ask_(std::move(ask)), entries_max_(entries_max) {
    random_bytes(secret_);
}

std::size_t identity_cache::key_hash::operator()(const key& of) const {
    std::size_t out = 0; // the key is a hash already
    std::memcpy(&out, of.data(), sizeof out);
    return out;
}

identity_cache::key identity_cache::key_of(std::string_view token) const {
    static_assert(std::tuple_size_v<key> == crypto_shorthash_siphashx24_BYTES);
    static_assert(std::tuple_size_v<decltype(secret_)> == crypto_shorthash_siphashx24_KEYBYTES);
    key out{};
    crypto_shorthash_siphashx24(out.data(), reinterpret_cast<const unsigned char*>(token.data()),
                                token.size(), secret_.data());
    return out;
}

bool identity_cache::holds(const introspection& known) const {
    return known.holds(loop_.time().steady_now(), loop_.time().now());
}

std::optional<const known_caller*> identity_cache::find(std::string_view token) {
    const auto found = known_.find(key_of(token));
    if (found == known_.end() || !holds(found->second)) {
        return std::nullopt;
    }
    const auto& caller = found->second.caller;
    return caller ? &*caller : nullptr;
}

void identity_cache::ask(std::string_view token, const trace::context& where, identity_user& who) {
    const auto wanted = key_of(token);
    const auto under_way = std::ranges::find(flights_, wanted, &flight::token);
    if (under_way != flights_.end()) {
        under_way->waiting.push_back(&who);
        return;
    }
    flights_.push_back({wanted, {&who}});
    ask_(std::string(token), where,
         [this, wanted](result<introspection> answer) { land(wanted, std::move(answer)); });
}

void identity_cache::land(const key& token, result<introspection> answer) {
    if (answer) {
        keep(token, *answer);
    }
    // One by one: whoever is told may make others forget, or ask for something else.
    while (true) {
        const auto landed = std::ranges::find(flights_, token, &flight::token);
        if (landed->waiting.empty()) {
            flights_.erase(landed);
            return;
        }
        auto* const who = landed->waiting.back();
        landed->waiting.pop_back();
        if (!answer) {
            who->on_identity(fail(answer));
            continue;
        }
        const auto known = known_.find(token);
        who->on_identity(known->second.caller ? &*known->second.caller : nullptr);
    }
}

void identity_cache::forget(identity_user& who) {
    for (auto& each : flights_) {
        std::erase(each.waiting, &who);
    }
}

void identity_cache::keep(const key& token, introspection known) {
    const auto before = known_.find(token);
    if (before != known_.end()) {
        unlink(before->second, token);
    } else {
        order_.push_back(token);
    }
    if (known.caller) {
        by_credential_.emplace(known.caller->who.credential_id, token);
    }
    known_.insert_or_assign(token, std::move(known));
    if (order_.size() > entries_max_) {
        const auto oldest = known_.find(order_.front());
        unlink(oldest->second, oldest->first);
        known_.erase(oldest);
        order_.pop_front();
    }
}

void identity_cache::unlink(const introspection& known, const key& token) {
    if (!known.caller) {
        return;
    }
    const auto [first, last] = by_credential_.equal_range(known.caller->who.credential_id);
    const auto own =
        std::find_if(first, last, [&](const auto& each) { return each.second == token; });
    if (own != last) {
        by_credential_.erase(own);
    }
}

void identity_cache::revoke(const std::string& credential_id) {
    const auto [first, last] = by_credential_.equal_range(credential_id);
    for (auto each = first; each != last; ++each) {
        const auto found = known_.find(each->second);
        if (found != known_.end()) {
            found->second.caller.reset();
        }
    }
    by_credential_.erase(first, last);
}

} // namespace relais::gateway
