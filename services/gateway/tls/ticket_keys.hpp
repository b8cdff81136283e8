#pragma once

#include "clock/clock.hpp"
#include "gateway/tls/published.hpp"
#include "result/result.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace relais::gateway {

/// What seals session tickets (RFC 5077 §4, RFC 8446 §4.6.1): AES-256-CBC, then HMAC-SHA-256.
struct ticket_key {
    std::array<std::uint8_t, 16> name{};
    std::array<std::uint8_t, 32> mac_key{};
    std::array<std::uint8_t, 32> cipher_key{};
    std::chrono::sys_seconds made;

    ticket_key() = default;
    ticket_key(const ticket_key&) = default;
    ticket_key& operator=(const ticket_key&) = default;
    /// Leaves nothing in memory.
    ~ticket_key();

    static ticket_key random(timestamp now);

    friend bool operator==(const ticket_key&, const ticket_key&) = default;
};

/// The keys of one moment, newest first: all open, and the newest that every neighbour knows seals.
struct ticket_key_set {
    std::vector<ticket_key> keys;
    std::size_t sealing = 0; ///< which seals

    /// nullptr: no such key, or no longer.
    const ticket_key* find(std::span<const std::uint8_t> name) const;

    friend bool operator==(const ticket_key_set&, const ticket_key_set&) = default;
};

struct ticket_key_settings {
    std::chrono::seconds rotate_every{std::chrono::hours(8)};
    std::size_t kept = 3; ///< the current one and those that still open
    /// Where instances of one machine and a successor process find the same keys; empty: only here
    /// and only until the end. Made (mode 0600) where it is missing, beside it a `.lock`. One line
    /// a key, the one that seals first: `<unix seconds of its making> <160 hexadecimal digits>`
    /// (name, MAC key, cipher key). Where we may not write (a mounted secret) it is only read, and
    /// somebody else rotates.
    std::string file;

    friend bool operator==(const ticket_key_settings&, const ticket_key_settings&) = default;
};

/// Makes, shares and drops the keys of session tickets. A new key of a file seals once the
/// neighbours have had the time to find it there: else, for a moment after each rotation, tickets
/// would be good with one of them only. refresh() and rotate() on one thread (the control thread;
/// they read and write a small file); keys() from any.
class ticket_keys {
public:
    /// Throws std::runtime_error where the file cannot be read or is not a key file: that we began
    /// with other keys than the neighbours would be noticed by nobody.
    ticket_keys(ticket_key_settings settings, const clock& clock);

    /// To be called every few seconds: takes over what another instance wrote to the file, makes a
    /// new key when the current one is older than `rotate_every`. The value: whether the keys
    /// changed. Errors (`invalid`: "unreadable-file", "unwritable-file", "broken-ticket-keys";
    /// `unavailable`: "ticket-keys-locked", the next call will do) leave the keys as they are.
    result<bool> refresh();

    /// By these from now on; other settings change nothing about sessions that were resumed.
    /// Without a file any more, the keys stay and are this process's own. Errors: as above; then it
    /// goes on as before.
    result<void> use(ticket_key_settings settings);

    /// A new key now, whatever the age of the current one (a machine that somebody had). Errors:
    /// as above; the file has to be writable.
    result<void> rotate();

    const published<ticket_key_set>& keys() const;

    /// In which everybody has called refresh() twice.
    static constexpr std::chrono::seconds known_after{3};

private:
    result<bool> refresh_file();
    result<bool> extend_file(bool waits, bool forced);
    bool is_due(const std::vector<ticket_key>& keys) const;
    void add_key(std::vector<ticket_key>& keys) const;
    bool adopt(std::vector<ticket_key> keys);
    std::vector<ticket_key> current() const;

    ticket_key_settings settings_;
    const clock& clock_;
    published<ticket_key_set> keys_;
};

} // namespace relais::gateway
