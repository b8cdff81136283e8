#include "gateway/client_address/list_from_right.hpp"

#include "http/tokens.hpp"

namespace relais::gateway {
namespace {

/// Whether an odd number of backslashes stands before the place.
bool is_escaped(std::string_view text, std::size_t place) {
    std::size_t backslashes = 0;
    while (backslashes < place && text[place - 1 - backslashes] == '\\') {
        ++backslashes;
    }
    return backslashes % 2 == 1;
}

/// Where the last element begins: behind the last comma outside of quoted strings, or 0.
std::size_t last_element(std::string_view line) {
    bool quoted = false;
    for (std::size_t place = line.size(); place > 0; --place) {
        const char byte = line[place - 1];
        if (byte == '"') {
            // Inside a string, an escaped mark belongs to it; outside, a mark ends a string.
            quoted = quoted && is_escaped(line, place - 1) ? quoted : !quoted;
        } else if (byte == ',' && !quoted) {
            return place;
        }
    }
    return 0;
}

} // namespace

bool list_from_right::next_line() {
    while (!fields_.empty()) {
        const auto& field = fields_.back();
        fields_ = fields_.first(fields_.size() - 1);
        if (http::equal_names(field.name, name_)) {
            line_ = field.value;
            return true;
        }
    }
    return false;
}

bool list_from_right::next(std::string_view& element) {
    for (;;) {
        while (line_.empty()) {
            if (!next_line()) {
                return false;
            }
        }
        const auto begin = quotes_ == quoting::none ? line_.rfind(',') + 1 : last_element(line_);
        element = http::trim_blanks(line_.substr(begin));
        line_ = line_.substr(0, begin == 0 ? 0 : begin - 1);
        if (!element.empty()) {
            return true;
        }
    }
}

} // namespace relais::gateway
