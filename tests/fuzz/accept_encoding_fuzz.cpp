// What a client accepts. The answer is one of those that can be had, or identity; what is not named
// is not given; and splitting the list over several fields changes nothing.
#include "fuzz/fuzz_target.hpp"
#include "gateway/compression/coding.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace relais;
using namespace relais::gateway;

namespace {

bool has(std::string_view text, std::string_view word) {
    return std::ranges::search(text, word, [](char a, char b) {
               return http::equal_names({&a, 1}, {&b, 1});
           }).begin() != text.end();
}

accepted_codings split(std::string_view text) {
    http::request_head head;
    std::vector<std::string> parts(1);
    for (const char each : text) {
        if (each == ',') {
            parts.emplace_back();
        } else {
            parts.back() += each;
        }
    }
    for (const auto& each : parts) {
        head.fields.push_back({"Accept-Encoding", each});
    }
    return accepted_codings::of(head);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    const auto whole = accepted_codings::parse(text);
    const auto parts = split(text);
    for (const auto one : {coding::gzip, coding::brotli, coding::zstd}) {
        const std::array offered{one};
        const auto best = whole.best(offered);
        fuzz::require(best == one || best == coding::identity);
        fuzz::require(best == coding::identity || has(text, to_string(one)) || has(text, "*"));
        fuzz::require(parts.best(offered) == best);
    }
    const std::array all{coding::zstd, coding::brotli, coding::gzip};
    fuzz::require(parts.best(all) == whole.best(all));
    return 0;
}
