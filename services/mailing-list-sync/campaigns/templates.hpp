#pragma once

#include "result/result.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace relais::mailing_list_sync {

struct campaign_template {
    std::string subject;
    std::string html;
};

/// The campaign templates of a folder: <name>.<locale>.html, first line `subject: …`. The text is
/// in the provider's own template language, because the provider renders it for each person.
class campaign_templates {
public:
    /// Throws std::runtime_error that lists everything wrong: a language that is missing, no
    /// subject, no
    /// {{ unsubscribe }} link (a marketing mail without one must not be sent), over 100 KiB.
    explicit campaign_templates(const std::filesystem::path& folder);

    bool knows(const std::string& name) const;
    /// A known name and one of campaign_locales().
    const campaign_template& find(const std::string& name, const std::string& locale) const;

private:
    std::map<std::string, std::map<std::string, campaign_template>, std::less<>> by_name_;
};

} // namespace relais::mailing_list_sync
