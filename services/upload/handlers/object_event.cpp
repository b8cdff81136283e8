#include "upload/handlers/object_event.hpp"

#include "http/json_reader.hpp"

#include <cstdint>
#include <optional>

namespace relais::upload {
namespace {

constexpr std::size_t records_max = 1000;
constexpr http::text_limits key_limits{0, 1024};
constexpr http::text_limits name_limits{0, 255};

std::optional<std::uint8_t> hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<std::uint8_t>(c - '0');
    }
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') {
        return static_cast<std::uint8_t>(lower - 'a' + 10);
    }
    return std::nullopt;
}

/// A percent sign that begins no escape stays.
std::string form_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
        const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
        if (text[i] == '%' && high && low) {
            out += static_cast<char>(*high * 16 + *low);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

bool is_creation(std::string_view name) {
    if (name.starts_with("s3:")) {
        name.remove_prefix(3);
    }
    return name.starts_with("ObjectCreated:");
}

object_event read_record(const http::json_reader& record) {
    const auto source = record.optional_text("eventSource", name_limits).value_or("");
    const auto about = record.object("s3");
    object_event out;
    out.bucket = about.object("bucket").text("name", name_limits);
    out.key = about.object("object").text("key", key_limits);
    if (!source.starts_with("ceph:")) {
        out.key = form_decoded(out.key);
    }
    return out;
}

} // namespace

result<std::vector<object_event>> parse_object_events(std::string_view json) {
    const http::json_reader document(json);
    document.allow_unknown();
    std::vector<object_event> out;
    const bool is_test = document.optional_text("Event", name_limits) == "s3:TestEvent";
    if (!is_test) {
        for (const auto& record : document.objects("Records", records_max)) {
            if (is_creation(record.text("eventName", name_limits))) {
                out.push_back(read_record(record));
            }
        }
    }
    if (const auto problems = document.finish(); !problems.empty()) {
        return std::unexpected(problems.front());
    }
    std::erase_if(out, [](const object_event& each) { return each.key.empty(); });
    return out;
}

} // namespace relais::upload
