#include "notification/rendering/composition.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace relais::notification {
namespace {

constexpr int depth_max = 4;

struct composer {
    const std::filesystem::path& folder;
    const kind& what;
    std::string_view form;
    const view& sample;
    const texts& sentences;
    std::vector<std::string>& problems;
    std::set<std::string> text_keys;

    std::string file_of(std::string_view part) const {
        return fmt::format("{}.{}.mustache", part == "content" ? what.name : part, form);
    }

    void check_text(const tag& found, std::string_view file) {
        const auto key = absolute_key(what, found.name);
        if (!sentences.has(key)) {
            problems.push_back(fmt::format("{}:{}: there is no text {}", file, found.line, key));
            return;
        }
        text_keys.insert(key);
    }

    void check_variable(const tag& found, std::string_view file) const {
        if (!sample.contains(found.name)) {
            problems.push_back(fmt::format("{}:{}: {} has no variable {}", file, found.line,
                                           what.name, found.name));
        }
    }

    std::string expand(std::string_view part, int depth) {
        const auto file = file_of(part);
        const std::ifstream opened(folder / file, std::ios::binary);
        if (!opened) {
            problems.push_back(fmt::format("{}: cannot be read in {}", file, folder.string()));
            return {};
        }
        std::ostringstream content;
        content << opened.rdbuf();
        const auto source = content.str();
        std::string out;
        std::size_t copied = 0;
        for (const auto& found : find_tags(source, file, problems)) {
            if (found.what == tag::kind::text) {
                check_text(found, file);
            } else if (found.what == tag::kind::variable) {
                check_variable(found, file);
            } else if (found.what == tag::kind::part) {
                out += source.substr(copied, found.begin - copied);
                copied = found.end;
                if (depth == depth_max) {
                    problems.push_back(
                        fmt::format("{}:{}: parts in parts in parts", file, found.line));
                } else {
                    out += expand(found.name, depth + 1);
                }
            }
        }
        out += source.substr(copied);
        if (depth > 1 && out.ends_with('\n')) {
            out.pop_back(); // the line that names the part ends by itself
        }
        return out;
    }
};

} // namespace

std::string absolute_key(const kind& what, std::string_view key) {
    return key.starts_with('.') ? fmt::format("{}{}", what.name, key) : std::string(key);
}

composition compose(const std::filesystem::path& folder, const kind& what, std::string_view form,
                    const view& sample, const texts& sentences,
                    std::vector<std::string>& problems) {
    composer work{folder, what, form, sample, sentences, problems, {}};
    composition out;
    out.source = work.expand("layout", 1);
    out.text_keys = std::move(work.text_keys);
    return out;
}

} // namespace relais::notification
