#pragma once

#include "gateway/tls/ticket_keys.hpp"

#include <string_view>

namespace relais::gateway {

/// The file's text for keys, and back. Error: `invalid` / "broken-ticket-keys", which names the
/// line but not what stands there. An empty text holds no keys.
std::string to_text(std::span<const ticket_key> keys);
result<std::vector<ticket_key>> parse_ticket_keys(std::string_view text);

/// What stands in the file; nothing where there is none. Needs no lock, because the file is only
/// ever replaced as a whole. Errors: "unreadable-file", "oversized-file", "broken-ticket-keys".
result<std::vector<ticket_key>> read_ticket_key_file(const std::string& file);

/// Replaces the file, mode 0600, so that a reader and a power cut find the old or the new one.
/// Error: `invalid` / "unwritable-file". Only with the lock.
result<void> write_ticket_key_file(const std::string& file, std::span<const ticket_key> keys);

/// Who holds this is the only one that writes the file.
class ticket_key_lock {
public:
    /// Errors: `unavailable` / "ticket-keys-locked" when another one holds it and `waits` is false;
    /// `invalid` / "unwritable-file" where we may not make the lock's file.
    static result<ticket_key_lock> take(const std::string& file, bool waits);

    ~ticket_key_lock();
    ticket_key_lock(ticket_key_lock&& other) noexcept;
    ticket_key_lock& operator=(ticket_key_lock&&) = delete;

private:
    explicit ticket_key_lock(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

} // namespace relais::gateway
