#include "events/topic_catalogue.hpp"

#include "relais/options/v1/topics.pb.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <set>

namespace relais::events {
namespace {

namespace options = relais::options::v1;

std::unexpected<error> refuse(std::string detail) {
    return fail(error_kind::invalid, "topic-catalogue", std::move(detail));
}

/// Keeps the first problem that the parser found.
class first_problem final : public google::protobuf::io::ErrorCollector {
public:
    void AddError(int line, int column, const std::string& message) override {
        if (text_.empty()) {
            text_ = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
        }
    }

    const std::string& text() const {
        return text_;
    }

private:
    std::string text_;
};

std::optional<lane> lane_of(options::Lane value) {
    switch (value) {
    case options::LANE_INTERACTIVE:
        return lane::interactive;
    case options::LANE_DEFAULT:
        return lane::normal;
    case options::LANE_BULK:
        return lane::bulk;
    default:
        return std::nullopt;
    }
}

/// The first thing that is wrong with an entry; empty when nothing is.
std::string problem_of(const options::Topic& entry) {
    static const std::regex name_form("[a-z]+\\.[a-z]+\\.[a-z]+\\.v[1-9][0-9]*");
    if (!std::regex_match(entry.name(), name_form)) {
        return "the name is not <domain>.<entity>.<kind>.v<N>";
    }
    if (entry.producer().empty()) {
        return "no producer";
    }
    if (entry.partitions() == 0 || entry.partitions() > 200) {
        return "partitions must be 1 to 200";
    }
    if (!lane_of(entry.lane())) {
        return "no lane";
    }
    const bool kept_by_time = entry.cleanup() == options::CLEANUP_DELETE &&
                              entry.retention_hours() > 0 && entry.max_compaction_lag_hours() == 0;
    const bool compacted = entry.cleanup() == options::CLEANUP_COMPACT &&
                           entry.retention_hours() == 0 && entry.max_compaction_lag_hours() > 0;
    if (!kept_by_time && !compacted) {
        return "needs CLEANUP_DELETE with retention_hours, or CLEANUP_COMPACT with "
               "max_compaction_lag_hours";
    }
    return entry.description().empty() ? "no description" : "";
}

topic to_topic(const options::Topic& entry) {
    return topic{.name = entry.name(),
                 .producer = entry.producer(),
                 .partitions = entry.partitions(),
                 .lane = lane_of(entry.lane()).value_or(lane::normal),
                 .compacted = entry.cleanup() == options::CLEANUP_COMPACT,
                 .retention = std::chrono::hours(entry.retention_hours()),
                 .max_compaction_lag = std::chrono::hours(entry.max_compaction_lag_hours()),
                 .description = entry.description()};
}

} // namespace

result<std::vector<topic>> parse_topics(std::string_view text) {
    first_problem problem;
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&problem);
    options::TopicCatalogue catalogue;
    if (!parser.ParseFromString(std::string(text), &catalogue)) {
        return refuse(problem.text());
    }
    std::vector<topic> topics;
    std::set<std::string> names;
    for (const auto& entry : catalogue.topic()) {
        const std::string wrong = problem_of(entry);
        if (!wrong.empty()) {
            return refuse(fmt::format("topic \"{}\": {}", entry.name(), wrong));
        }
        if (!names.insert(entry.name()).second) {
            return refuse(fmt::format("topic \"{}\" is there twice", entry.name()));
        }
        topics.push_back(to_topic(entry));
    }
    return topics;
}

} // namespace relais::events
