// A record's envelope. The input: lines "name=value" are headers, a line without "=" is the key,
// the rest after an empty line is the value. What is read must come out again as it went in.
#include "events/event.hpp"
#include "fuzz/fuzz_target.hpp"

#include <algorithm>

using namespace relais;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::as_text(data, size);
    events::headers fields;
    std::string key = "key";
    std::optional<std::string> value;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        const auto equals = line.find('=');
        if (line.empty()) {
            value = std::string(rest);
            break;
        }
        if (equals == std::string_view::npos) {
            key = line;
        } else {
            fields.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        }
    }
    const auto read = events::from_record("market.job.events.v1", key, value, fields);
    if (!read) {
        fuzz::require(read.error().kind == error_kind::invalid && !read.error().slug.empty());
        return 0;
    }
    const auto again = events::from_record(
        read->topic, read->key, read->tombstone ? std::nullopt : std::optional(read->payload),
        events::to_headers(*read));
    fuzz::require(again.has_value());
    fuzz::require(again->id == read->id && again->type == read->type && again->time == read->time &&
                  std::ranges::is_permutation(again->needs, read->needs) &&
                  again->expires_at == read->expires_at &&
                  again->position.has_value() == read->position.has_value());
    return 0;
}
