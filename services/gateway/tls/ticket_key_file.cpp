#include "gateway/tls/ticket_key_file.hpp"

#include "gateway/tls/pem_files.hpp"
#include "ids/encoding.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace relais::gateway {
namespace {

constexpr std::size_t secret_digits = 160; // of the name, the MAC key, the cipher key
constexpr std::size_t keys_max = 32;

std::unexpected<error> fail_line(std::size_t number, std::string_view what) {
    return fail(error_kind::invalid, "broken-ticket-keys", fmt::format("line {} {}", number, what));
}

std::unexpected<error> fail_writing(const std::string& file) {
    return fail_file(file, "unwritable-file", std::strerror(errno));
}

template <std::size_t Size>
void read_hex(std::string_view& digits, std::array<std::uint8_t, Size>& into) {
    for (auto& byte : into) {
        byte = static_cast<std::uint8_t>(hex_value(digits[0]) << 4 | hex_value(digits[1]));
        digits.remove_prefix(2);
    }
}

result<ticket_key> parse_line(std::string_view line, std::size_t number) {
    std::int64_t made = 0;
    const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), made);
    auto digits = line.substr(static_cast<std::size_t>(end - line.data()));
    if (code != std::errc{} || made < 0 || !digits.starts_with(' ')) {
        return fail_line(number, "does not begin with the seconds of its making");
    }
    digits.remove_prefix(1);
    if (digits.size() != secret_digits ||
        !std::ranges::all_of(digits, [](char c) { return hex_value(c) >= 0; })) {
        return fail_line(number, fmt::format("has not {} hexadecimal digits", secret_digits));
    }
    ticket_key out;
    out.made = std::chrono::sys_seconds(std::chrono::seconds(made));
    read_hex(digits, out.name);
    read_hex(digits, out.mac_key);
    read_hex(digits, out.cipher_key);
    return out;
}

bool write_synced(const std::string& file, std::string_view text) {
    const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (opened < 0) {
        return false;
    }
    const bool written =
        write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        fdatasync(opened) == 0;
    return close(opened) == 0 && written;
}

} // namespace

std::string to_text(std::span<const ticket_key> keys) {
    std::string out;
    for (const auto& key : keys) {
        out += fmt::format("{} {}{}{}\n", key.made.time_since_epoch().count(), to_hex(key.name),
                           to_hex(key.mac_key), to_hex(key.cipher_key));
    }
    return out;
}

result<std::vector<ticket_key>> parse_ticket_keys(std::string_view text) {
    std::vector<ticket_key> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty()) {
            continue;
        }
        auto key = parse_line(line, number);
        if (!key) {
            return fail(key);
        }
        out.push_back(*key);
        if (out.size() > keys_max) {
            return fail_line(number, fmt::format("is one too many, {} at most", keys_max));
        }
    }
    return out;
}

result<std::vector<ticket_key>> read_ticket_key_file(const std::string& file) {
    if (access(file.c_str(), F_OK) != 0 && errno == ENOENT) {
        return {};
    }
    auto text = read_small_file(file);
    if (!text) {
        return fail(text);
    }
    auto keys = parse_ticket_keys(*text);
    OPENSSL_cleanse(text->data(), text->size());
    if (!keys) {
        return fail_file(file, keys.error().slug, keys.error().detail);
    }
    return keys;
}

result<void> write_ticket_key_file(const std::string& file, std::span<const ticket_key> keys) {
    const auto next = file + ".next";
    auto text = to_text(keys);
    const bool written = write_synced(next, text) && std::rename(next.c_str(), file.c_str()) == 0;
    OPENSSL_cleanse(text.data(), text.size());
    if (!written) {
        return fail_writing(file);
    }
    return {};
}

result<ticket_key_lock> ticket_key_lock::take(const std::string& file, bool waits) {
    const auto name = file + ".lock";
    const int opened = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (opened < 0) {
        return fail_writing(name);
    }
    ticket_key_lock lock(opened);
    if (flock(opened, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        return fail(error_kind::unavailable, "ticket-keys-locked",
                    file + ": another instance is at it");
    }
    return lock;
}

ticket_key_lock::~ticket_key_lock() {
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

ticket_key_lock::ticket_key_lock(ticket_key_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

} // namespace relais::gateway
