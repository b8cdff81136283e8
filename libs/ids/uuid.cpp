#include "ids/uuid.hpp"

#include "ids/encoding.hpp"
#include "ids/random.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>

namespace relais {
namespace {

bool dash_belongs_at(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

} // namespace

result<uuid> uuid::parse(std::string_view text) {
    const auto bad = [] {
        return fail(error_kind::invalid, "invalid-id", "not a UUID");
    };
    if (text.size() != 36) {
        return bad();
    }
    std::array<std::uint8_t, 16> bytes{};
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (dash_belongs_at(i)) {
            if (text[i] != '-') {
                return bad();
            }
            continue;
        }
        const int value = hex_value(text[i]);
        if (value < 0) {
            return bad();
        }
        const int shift = nibble % 2 == 0 ? 4 : 0;
        bytes[nibble / 2] = static_cast<std::uint8_t>(bytes[nibble / 2] | (value << shift));
        ++nibble;
    }
    return uuid(bytes);
}

std::array<char, 36> uuid::characters() const {
    std::array<char, 36> out; // NOLINT(cppcoreguidelines-pro-type-member-init): all is written
    const std::span<const std::uint8_t> bytes(bytes_);
    char* at = write_hex(bytes.first(4), out.data());
    for (const std::size_t begin : {4, 6, 8}) {
        *at++ = '-';
        at = write_hex(bytes.subspan(begin, 2), at);
    }
    *at++ = '-';
    write_hex(bytes.last(6), at);
    return out;
}

std::string uuid::text() const {
    const auto all = characters();
    return {all.data(), all.size()};
}

bool uuid::is_nil() const {
    return std::ranges::all_of(bytes_, [](std::uint8_t byte) { return byte == 0; });
}

std::chrono::sys_time<std::chrono::milliseconds> uuid::time() const {
    std::uint64_t milliseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        milliseconds = (milliseconds << 8) | bytes_[i];
    }
    return std::chrono::sys_time<std::chrono::milliseconds>(
        std::chrono::milliseconds(milliseconds));
}

uuid make_uuid_v7(std::chrono::sys_time<std::chrono::milliseconds> time, std::uint16_t counter,
                  std::uint64_t random) {
    std::array<std::uint8_t, 16> bytes{};
    const auto milliseconds = static_cast<std::uint64_t>(time.time_since_epoch().count());
    for (std::size_t i = 0; i < 6; ++i) {
        bytes[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
    }
    bytes[6] = static_cast<std::uint8_t>(0x70 | ((counter >> 8) & 0x0f));
    bytes[7] = static_cast<std::uint8_t>(counter);
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
    }
    bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
    return uuid(bytes);
}

uuid make_uuid_v7() {
    // The one piece of process-wide state: ids of one process must ascend even within a
    // millisecond.
    static std::mutex mutex;
    static std::chrono::sys_time<std::chrono::milliseconds> last_time{};
    static std::uint16_t counter = 0;

    std::uint64_t random = 0;
    unique_bytes({reinterpret_cast<std::uint8_t*>(&random), sizeof random});
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());

    const std::lock_guard lock(mutex);
    if (now > last_time) {
        last_time = now;
        counter = static_cast<std::uint16_t>(random & 0x07ff); // leaves room to count up
    } else if (++counter > 0x0fff) {
        last_time += std::chrono::milliseconds(1); // borrowed from the future, as §6.2 allows
        counter = 0;
    }
    return make_uuid_v7(last_time, counter, random);
}

} // namespace relais

std::size_t std::hash<relais::uuid>::operator()(const relais::uuid& id) const noexcept {
    std::uint64_t tail = 0; // the random half
    std::memcpy(&tail, id.bytes().data() + 8, sizeof tail);
    return static_cast<std::size_t>(tail);
}
