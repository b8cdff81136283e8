#include "gateway/tls/ticket_keys.hpp"

#include "gateway/tls/ticket_key_file.hpp"
#include "ids/random.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace relais::gateway {

ticket_key::~ticket_key() {
    OPENSSL_cleanse(mac_key.data(), mac_key.size());
    OPENSSL_cleanse(cipher_key.data(), cipher_key.size());
}

ticket_key ticket_key::random(timestamp now) {
    ticket_key out;
    random_bytes(out.name);
    random_bytes(out.mac_key);
    random_bytes(out.cipher_key);
    out.made = std::chrono::floor<std::chrono::seconds>(now);
    return out;
}

const ticket_key* ticket_key_set::find(std::span<const std::uint8_t> name) const {
    const auto found = std::ranges::find_if(
        keys, [&](const ticket_key& key) { return std::ranges::equal(key.name, name); });
    return found != keys.end() ? &*found : nullptr;
}

ticket_keys::ticket_keys(ticket_key_settings settings, const clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
    const auto begun = settings_.file.empty() ? refresh() : refresh_file();
    if (!begun) {
        throw std::runtime_error(begun.error().detail);
    }
}

result<bool> ticket_keys::refresh() {
    if (!settings_.file.empty()) {
        return refresh_file();
    }
    auto keys = current();
    if (is_due(keys)) {
        add_key(keys);
    }
    return adopt(std::move(keys));
}

result<void> ticket_keys::use(ticket_key_settings settings) {
    if (settings == settings_) {
        return {};
    }
    const auto before = std::exchange(settings_, std::move(settings));
    const auto refreshed = refresh();
    if (!refreshed) {
        settings_ = before;
        return fail(refreshed);
    }
    return {};
}

result<void> ticket_keys::rotate() {
    if (settings_.file.empty()) {
        auto keys = current();
        add_key(keys);
        adopt(std::move(keys));
        return {};
    }
    const auto extended = extend_file(true, true);
    return extended ? result<void>{} : fail(extended);
}

const published<ticket_key_set>& ticket_keys::keys() const {
    return keys_;
}

result<bool> ticket_keys::refresh_file() {
    auto keys = read_ticket_key_file(settings_.file);
    if (!keys) {
        return fail(keys);
    }
    if (!is_due(*keys)) {
        return adopt(std::move(*keys));
    }
    const auto extended = extend_file(keys->empty(), false);
    if (!extended && !keys->empty() && extended.error().slug == "unwritable-file") {
        return adopt(std::move(*keys)); // somebody else rotates
    }
    return extended;
}

/// Looks again under the lock: a neighbour may have been faster. Waiting is for the start, when
/// there is nothing to go on with.
result<bool> ticket_keys::extend_file(bool waits, bool forced) {
    const auto lock = ticket_key_lock::take(settings_.file, waits);
    if (!lock) {
        return fail(lock);
    }
    auto keys = read_ticket_key_file(settings_.file);
    if (!keys) {
        return fail(keys);
    }
    if (forced || is_due(*keys)) {
        add_key(*keys);
        const auto written = write_ticket_key_file(settings_.file, *keys);
        if (!written) {
            return fail(written);
        }
    }
    return adopt(std::move(*keys));
}

bool ticket_keys::is_due(const std::vector<ticket_key>& keys) const {
    return keys.empty() || clock_.now() >= keys.front().made + settings_.rotate_every;
}

void ticket_keys::add_key(std::vector<ticket_key>& keys) const {
    keys.insert(keys.begin(), ticket_key::random(clock_.now()));
    keys.resize(std::min(keys.size(), std::max<std::size_t>(settings_.kept, 1)));
}

bool ticket_keys::adopt(std::vector<ticket_key> keys) {
    ticket_key_set now{std::move(keys)};
    if (!settings_.file.empty()) {
        const auto waits = std::min(known_after, settings_.rotate_every / 2);
        const auto known = std::ranges::find_if(
            now.keys, [&](const ticket_key& key) { return key.made + waits <= clock_.now(); });
        const auto seals =
            std::min<std::ptrdiff_t>(known - now.keys.begin(), std::ssize(now.keys) - 1);
        now.sealing = static_cast<std::size_t>(std::max<std::ptrdiff_t>(seals, 0));
    }
    const auto before = keys_.current();
    if (before != nullptr && *before == now) {
        return false;
    }
    keys_.publish(std::make_shared<const ticket_key_set>(std::move(now)));
    return true;
}

std::vector<ticket_key> ticket_keys::current() const {
    const auto now = keys_.current();
    return now != nullptr ? now->keys : std::vector<ticket_key>{};
}

} // namespace relais::gateway
