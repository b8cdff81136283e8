#include "inbox/dead_letter_json.hpp"

#include "inbox/record_json.hpp"

namespace relais::inbox {
namespace {

http::json_writer& begin(http::json_writer& json, std::string_view service) {
    json.begin_object();
    if (!service.empty()) {
        json.member("service", service);
    }
    return json;
}

void write_members(http::json_writer& json, const dead_letter& letter) {
    json.member("id", letter.id)
        .member("state", letter.state())
        .member("group", letter.group)
        .member("topic", letter.topic)
        .member("partition", letter.partition)
        .member("offset", letter.offset)
        .member("type", letter.type)
        .member("reason", letter.reason)
        .member("fingerprint", letter.fingerprint)
        .member("attempts", letter.attempts)
        .member("redrives", letter.redrives)
        .member("edited", letter.edited_value.has_value())
        .member("dead_at", letter.dead_at);
    if (letter.redriven_at) {
        json.member("redriven_at", *letter.redriven_at);
    }
    if (letter.discarded_at) {
        json.member("discarded_at", *letter.discarded_at);
    }
}

std::string record_of(const dead_letter& letter, const std::optional<std::string>& value) {
    return record_json({.topic = letter.topic,
                        .key = letter.key,
                        .value = value,
                        .headers = letter.headers,
                        .partition = letter.partition,
                        .offset = letter.offset,
                        .time = letter.record_time});
}

} // namespace

void write_json(http::json_writer& json, const dead_letter& letter, std::string_view service) {
    write_members(begin(json, service), letter);
    json.end_object();
}

void write_json(http::json_writer& json, const dead_letter_group& group, std::string_view service) {
    begin(json, service)
        .member("fingerprint", group.fingerprint)
        .member("group", group.group)
        .member("topic", group.topic)
        .member("type", group.type)
        .member("reason", group.reason)
        .member("pattern", group.pattern)
        .member("letters", group.letters)
        .member("quarantined", group.quarantined)
        .member("example", group.example)
        .member("oldest", group.oldest)
        .member("newest", group.newest)
        .end_object();
}

void write_json(http::json_writer& json, const dead_letter_deed& deed, std::string_view service) {
    begin(json, service)
        .member("letter", deed.letter)
        .member("at", deed.at)
        .member("who", deed.who)
        .member("what", deed.what)
        .member("why", deed.why)
        .raw_member("before", deed.before)
        .raw_member("after", deed.after)
        .end_object();
}

std::string full_json(const dead_letter& letter, std::string_view service) {
    http::json_writer json;
    write_members(begin(json, service), letter);
    json.raw_member("errors", letter.errors).raw_member("record", record_of(letter, letter.value));
    if (letter.edited_value) {
        json.raw_member("edited_record", record_of(letter, letter.edited_value));
    }
    json.end_object();
    return json.take();
}

} // namespace relais::inbox
