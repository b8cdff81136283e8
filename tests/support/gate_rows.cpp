#include "support/gate_rows.hpp"

#include "support/environment.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <sstream>
#include <string_view>

namespace json = boost::json;

namespace relais::test::gate {
namespace {

json::object table(const std::string& name) {
    const std::ifstream file(source_dir() + "/tests/edge/vectors/" + name);
    std::ostringstream content;
    content << file.rdbuf();
    return json::parse(content.str()).as_object();
}

/// Each character of the text stands for a byte.
std::string narrow(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            out += text[i];
        } else {
            const auto next = static_cast<unsigned char>(text.at(++i));
            out += static_cast<char>((byte & 0x03U) << 6U | (next & 0x3fU));
        }
    }
    return out;
}

/// A text, or a list of texts and of [text, how many times].
std::string bytes_of(const json::value& given) {
    if (given.is_string()) {
        return narrow(given.as_string());
    }
    std::string out;
    for (const auto& piece : given.as_array()) {
        const bool repeated = piece.is_array();
        const auto text = bytes_of(repeated ? piece.as_array().at(0) : piece);
        for (auto times = repeated ? piece.as_array().at(1).as_int64() : 1; times > 0; --times) {
            out += text;
        }
    }
    return out;
}

std::string member(const json::object& row, std::string_view name, std::string otherwise = "") {
    const auto* found = row.if_contains(name);
    return found != nullptr ? bytes_of(*found) : std::move(otherwise);
}

std::string request_head(const json::object& row) {
    if (row.contains("head")) {
        return member(row, "head");
    }
    if (row.contains("target")) {
        return member(row, "method", "GET") + " " + member(row, "target") +
               " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    return "POST /v HTTP/1.1\r\nHost: a\r\n" + member(row, "fields") + "\r\n";
}

/// make(row) for each row of each group but one.
template <class Make>
void each_row(const json::object& groups, std::string_view without, Make make) {
    for (const auto& group : groups) {
        if (group.key() != without) {
            for (const auto& row : group.value().as_array()) {
                make(row.as_object());
            }
        }
    }
}

} // namespace

std::vector<request_row> request_rows() {
    std::vector<request_row> out;
    each_row(table("requests.json"), "chunks", [&](const json::object& row) {
        out.push_back({member(row, "name"), request_head(row), member(row, "refused"),
                       member(row, "goes_as")});
    });
    return out;
}

std::vector<chunks_row> chunks_rows() {
    std::vector<chunks_row> out;
    const auto groups = table("requests.json");
    for (const auto& each : groups.at("chunks").as_array()) {
        const auto& row = each.as_object();
        out.push_back({member(row, "name"), member(row, "body"), row.contains("refused"),
                       member(row, "body_seen")});
    }
    return out;
}

std::vector<answer_row> answer_rows() {
    std::vector<answer_row> out;
    each_row(table("answers.json"), "", [&](const json::object& row) {
        const auto framing = member(row, "framing");
        const auto head = row.contains("head")
                              ? member(row, "head")
                              : "HTTP/1.1 200 OK\r\n" + member(row, "fields") + "\r\n";
        if (!framing.empty() || member(row, "refused") == "head") {
            out.push_back({member(row, "name"), head, member(row, "method", "GET"), framing});
        }
    });
    return out;
}

} // namespace relais::test::gate
