#include "mailing-list-sync/campaigns/templates.hpp"

#include "mailing-list-sync/domain/membership.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace relais::mailing_list_sync {
namespace {

constexpr std::size_t html_max_bytes = std::size_t{100} * 1024; // Gmail clips longer mails
constexpr std::string_view subject_line = "subject: ";

std::string read_file(const std::filesystem::path& path) {
    const std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

/// Adds to `problems` what is wrong with the file.
campaign_template parse(const std::string& file, const std::string& text,
                        std::vector<std::string>& problems) {
    const auto line_end = text.find('\n');
    if (!text.starts_with(subject_line) || line_end == std::string::npos) {
        problems.push_back(file + ": the first line is not \"subject: …\"");
        return {};
    }
    campaign_template out{text.substr(subject_line.size(), line_end - subject_line.size()),
                          text.substr(line_end + 1)};
    if (out.subject.empty()) {
        problems.push_back(file + ": the subject is empty");
    }
    if (out.html.find("{{ unsubscribe }}") == std::string::npos) {
        problems.push_back(file + ": no {{ unsubscribe }} link");
    }
    if (out.html.size() > html_max_bytes) {
        problems.push_back(file + ": longer than 100 KiB");
    }
    return out;
}

} // namespace

campaign_templates::campaign_templates(const std::filesystem::path& folder) {
    std::vector<std::string> problems;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        const auto& path = entry.path();
        if (path.extension() != ".html") {
            continue;
        }
        const auto locale = path.stem().extension().string();
        const auto name = path.stem().stem().string();
        if (locale.size() < 2) {
            problems.push_back(path.filename().string() + ": no language in the name");
            continue;
        }
        by_name_[name][locale.substr(1)] = parse(path.filename(), read_file(path), problems);
    }
    if (failed || by_name_.empty()) {
        problems.push_back(fmt::format("no campaign templates in {}", folder.string()));
    }
    for (const auto& [name, languages] : by_name_) {
        for (const auto& locale : campaign_locales()) {
            if (!languages.contains(locale)) {
                problems.push_back(fmt::format("{}: language {} is missing", name, locale));
            }
        }
    }
    if (!problems.empty()) {
        throw std::runtime_error(fmt::format("campaign templates: {}", fmt::join(problems, "; ")));
    }
}

bool campaign_templates::knows(const std::string& name) const {
    return by_name_.contains(name);
}

const campaign_template& campaign_templates::find(const std::string& name,
                                                  const std::string& locale) const {
    return by_name_.at(name).at(locale);
}

} // namespace relais::mailing_list_sync
