#include "http/json_writer.hpp"

#include "clock/rfc3339.hpp"
#include "log/json_text.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cmath>

namespace relais::http {

void json_writer::separate() {
    if (!has_members_.empty()) {
        if (has_members_.back()) {
            out_ += ',';
        }
        has_members_.back() = true;
    }
}

void json_writer::write_name(std::string_view name) {
    separate();
    log::append_json_string(out_, name);
    out_ += ':';
}

json_writer& json_writer::begin_object() {
    separate();
    out_ += '{';
    has_members_.push_back(false);
    return *this;
}

json_writer& json_writer::begin_object(std::string_view name) {
    write_name(name);
    out_ += '{';
    has_members_.push_back(false);
    return *this;
}

json_writer& json_writer::end_object() {
    assert(!has_members_.empty());
    has_members_.pop_back();
    out_ += '}';
    return *this;
}

json_writer& json_writer::begin_array() {
    separate();
    out_ += '[';
    has_members_.push_back(false);
    return *this;
}

json_writer& json_writer::begin_array(std::string_view name) {
    write_name(name);
    out_ += '[';
    has_members_.push_back(false);
    return *this;
}

json_writer& json_writer::end_array() {
    assert(!has_members_.empty());
    has_members_.pop_back();
    out_ += ']';
    return *this;
}

json_writer& json_writer::member(std::string_view name, std::string_view text) {
    write_name(name);
    log::append_json_string(out_, text);
    return *this;
}

json_writer& json_writer::member(std::string_view name, const char* text) {
    return member(name, std::string_view(text));
}

json_writer& json_writer::member(std::string_view name, const std::string& text) {
    return member(name, std::string_view(text));
}

json_writer& json_writer::member(std::string_view name, bool flag) {
    return raw_member(name, flag ? "true" : "false");
}

json_writer& json_writer::member(std::string_view name, double number) {
    // JSON has no infinities; null is what every reader understands as "no number".
    return raw_member(name, std::isfinite(number) ? fmt::format("{}", number) : "null");
}

json_writer& json_writer::member(std::string_view name, timestamp time) {
    return member(name, std::string_view(to_rfc3339(time)));
}

json_writer& json_writer::null_member(std::string_view name) {
    return raw_member(name, "null");
}

json_writer& json_writer::element(std::string_view text) {
    separate();
    log::append_json_string(out_, text);
    return *this;
}

json_writer& json_writer::element(std::int64_t number) {
    separate();
    out_ += std::to_string(number);
    return *this;
}

json_writer& json_writer::raw_element(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

json_writer& json_writer::raw_member(std::string_view name, std::string_view json) {
    write_name(name);
    out_ += json;
    return *this;
}

std::string json_writer::take() {
    assert(has_members_.empty() && "an object or array is still open");
    return std::move(out_);
}

} // namespace relais::http
