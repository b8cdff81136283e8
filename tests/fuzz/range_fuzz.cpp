// What a client says of the copy it has and the part it wants: lines of conditions, then the file's
// size. A part always lies within the file, and a date that is understood is written the same
// again.
#include "clock/rfc3339.hpp"
#include "fuzz/fuzz_target.hpp"
#include "gateway/files/file_conditions.hpp"

#include <array>

using namespace relais;
using namespace relais::gateway;

namespace {

void require_within(const byte_range& part, std::uint64_t bytes) {
    fuzz::require(part.count == 0 || (part.first < bytes && part.count <= bytes - part.first));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    // From 0 to far beyond what a file can be.
    const auto bytes = std::uint64_t{data[0]} << (data[1] % 57);
    auto rest = fuzz::as_text(data, size).substr(2);
    file_conditions asked;
    asked.range = fuzz::take_line(rest);
    asked.if_match = fuzz::take_line(rest);
    asked.if_none_match = fuzz::take_line(rest);
    asked.if_modified_since = fuzz::take_line(rest);
    asked.if_unmodified_since = fuzz::take_line(rest);
    asked.if_range = fuzz::take_line(rest);
    if (const auto part = parse_range(asked.range, bytes)) {
        require_within(*part, bytes);
    }
    const auto date = parse_http_date(asked.if_modified_since);
    if (date &&
        !asked.if_modified_since.contains(":60 ")) { // a leap second is the next one's first
        constexpr std::size_t weekday = 4;           // may be wrong
        fuzz::require(to_http_date(*date).substr(weekday) ==
                      asked.if_modified_since.substr(weekday));
    }
    const file_state there{"\"abc\"", std::chrono::sys_seconds(std::chrono::seconds(784'111'777)),
                           bytes};
    for (const bool is_get : {true, false}) {
        const auto said = judge(asked, there, is_get);
        if (said.what == file_outcome::part) {
            fuzz::require(is_get && said.part.count > 0);
            require_within(said.part, bytes);
        }
        fuzz::require(said.what != file_outcome::unsatisfiable || !asked.range.empty());
    }
    return 0;
}
