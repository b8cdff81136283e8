#pragma once

#include "events/topics.hpp"
#include "result/result.hpp"

#include <string_view>
#include <vector>

namespace relais::events {

/// Reads a catalogue in the form of proto/topics.textproto and checks it: names of the form
/// `<domain>.<entity>.<kind>.v<N>` and unique, a producer, partitions, lane, clean-up and a
/// retention that fits it. Error: `invalid` / "topic-catalogue" with line or topic in detail.
result<std::vector<topic>> parse_topics(std::string_view text);

namespace detail {
/// The text of proto/topics.textproto as it was at build time.
std::string_view built_in_topics();
} // namespace detail

} // namespace relais::events
