#include "config/reader.hpp"

#include "ids/encoding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <fstream>
#include <sstream>

extern char** environ;

namespace relais::config {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> read_file(const std::string& path) {
    const std::ifstream file(path, std::ios::binary);
    if (!file) {
        return std::nullopt;
    }
    std::ostringstream content;
    content << file.rdbuf();
    std::string text = content.str();
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    return text;
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return std::nullopt;
    }
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) {
        return std::nullopt;
    }
    return endpoint{std::string(text.substr(0, colon)), *port};
}

} // namespace

environment process_environment() {
    environment out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view line(*entry);
        const auto equals = line.find('=');
        if (equals != std::string_view::npos) {
            out.emplace(line.substr(0, equals), line.substr(equals + 1));
        }
    }
    return out;
}

std::string endpoint::text() const {
    return fmt::format("{}:{}", host, port);
}

reader::reader(environment variables) : environment_(std::move(variables)) {}

std::optional<std::string> reader::find(const variable& described) {
    variables_.push_back(described);
    if (const auto set = environment_.find(described.name);
        set != environment_.end() && !set->second.empty()) {
        return set->second;
    }
    if (described.is_secret) {
        const auto file = environment_.find(described.name + "_FILE");
        if (file != environment_.end() && !file->second.empty()) {
            auto content = read_file(file->second);
            if (!content || content->empty()) {
                problem(described.name + "_FILE",
                        fmt::format("cannot read a value from {}", file->second));
            }
            return content;
        }
    }
    if (described.required) {
        problem(described.name,
                fmt::format("is not set; expected {}{}", described.form,
                            described.is_secret ? fmt::format(", or {}_FILE=path", described.name)
                                                : std::string()));
    }
    return std::nullopt;
}

std::string reader::text(std::string_view name, const std::optional<std::string>& fallback,
                         std::string_view description) {
    const auto found = find({std::string(name), "text", fallback.value_or(""),
                             std::string(description), false, !fallback.has_value()});
    return found.value_or(fallback.value_or(""));
}

secret reader::secret(std::string_view name, const std::optional<std::string>& fallback,
                      std::string_view description) {
    const auto found = find({std::string(name), "a secret", fallback ? "***" : "",
                             std::string(description), true, !fallback.has_value()});
    return config::secret(found.value_or(fallback.value_or("")));
}

secret reader::key(std::string_view name, std::size_t size, std::string_view description) {
    const auto form = fmt::format("{} bytes in base64url", size);
    const auto found = find({std::string(name), form, "", std::string(description), true, true});
    if (!found) {
        return {};
    }
    const auto bytes = from_base64url(*found);
    if (!bytes || bytes->size() != size) {
        problem(name, fmt::format("expected {} (the value is not shown)", form));
        return {};
    }
    return config::secret(std::string(bytes->begin(), bytes->end()));
}

std::int64_t reader::integer(std::string_view name, const std::optional<std::int64_t>& fallback,
                             std::int64_t min, std::int64_t max, std::string_view description) {
    const auto form = fmt::format("a whole number from {} to {}", min, max);
    const auto found = find({std::string(name), form, fallback ? fmt::to_string(*fallback) : "",
                             std::string(description), false, !fallback.has_value()});
    if (!found) {
        return fallback.value_or(min);
    }
    const auto value = parse_number<std::int64_t>(*found);
    if (!value || *value < min || *value > max) {
        problem(name, fmt::format("is \"{}\"; expected {}", *found, form));
        return fallback.value_or(min);
    }
    return *value;
}

std::chrono::milliseconds
reader::duration_ms(std::string_view name, const std::optional<std::chrono::milliseconds>& fallback,
                    std::string_view description) {
    std::optional<std::int64_t> count;
    if (fallback) {
        count = fallback->count();
    }
    constexpr std::int64_t a_day = 86'400'000;
    return std::chrono::milliseconds(
        integer(name, count, 0, a_day, fmt::format("{} (milliseconds)", description)));
}

bool reader::boolean(std::string_view name, const std::optional<bool>& fallback,
                     std::string_view description) {
    std::optional<std::string> word;
    if (fallback) {
        word = *fallback ? "true" : "false";
    }
    const auto value = choice(name, {"true", "false", "1", "0", "yes", "no"}, word, description);
    return value == "true" || value == "1" || value == "yes";
}

endpoint reader::endpoint(std::string_view name, const std::optional<std::string>& fallback,
                          std::string_view description) {
    const auto found = find({std::string(name), "host:port", fallback.value_or(""),
                             std::string(description), false, !fallback.has_value()});
    const auto text = found.value_or(fallback.value_or(""));
    if (text.empty()) {
        return {};
    }
    const auto parsed = parse_endpoint(text);
    if (!parsed) {
        problem(name, fmt::format("is \"{}\"; expected host:port", text));
        return {};
    }
    return *parsed;
}

std::string reader::url(std::string_view name, const std::optional<std::string>& fallback,
                        std::string_view description) {
    const auto found = find({std::string(name), "http:// or https:// URL", fallback.value_or(""),
                             std::string(description), false, !fallback.has_value()});
    auto value = found.value_or(fallback.value_or(""));
    while (!value.empty() && value.back() == '/') {
        value.pop_back();
    }
    if (!value.empty() && !value.starts_with("http://") && !value.starts_with("https://")) {
        problem(name, fmt::format("is \"{}\"; expected an http:// or https:// URL", value));
    }
    return value;
}

std::string reader::choice(std::string_view name, std::vector<std::string> allowed,
                           const std::optional<std::string>& fallback,
                           std::string_view description) {
    const auto form = fmt::format("one of {}", fmt::join(allowed, ", "));
    const auto found = find({std::string(name), form, fallback.value_or(""),
                             std::string(description), false, !fallback.has_value()});
    if (!found) {
        return fallback.value_or("");
    }
    for (const auto& word : allowed) {
        if (word == *found) {
            return word;
        }
    }
    problem(name, fmt::format("is \"{}\"; expected {}", *found, form));
    return fallback.value_or("");
}

void reader::problem(std::string_view name, std::string_view what) {
    problems_.push_back(fmt::format("{}: {}", name, what));
}

std::string reader::help() const {
    std::string out = "Configuration, from environment variables:\n";
    for (const auto& described : variables_) {
        out += fmt::format("\n  {}\n      {}\n      form: {}", described.name,
                           described.description, described.form);
        if (described.is_secret) {
            out += fmt::format("; or {}_FILE=path", described.name);
        }
        out += described.required ? std::string("; required\n")
                                  : fmt::format("; default: {}\n", described.default_value.empty()
                                                                       ? "(empty)"
                                                                       : described.default_value);
    }
    return out;
}

} // namespace relais::config
