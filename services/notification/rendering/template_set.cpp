#include "notification/rendering/template_set.hpp"

#include "ids/encoding.hpp"
#include "notification/domain/language.hpp"
#include "notification/rendering/composition.hpp"
#include "notification/rendering/engine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace relais::notification {
namespace {

constexpr std::size_t html_max = std::size_t{100} * 1024; // Gmail clips at 102 KB
constexpr std::size_t subject_max = 255;                  // Mailjet's limit
constexpr std::array<int, 2> samples{1, 24};

struct compiled {
    engine_template html;
    engine_template text;
};

} // namespace

struct template_set::state {
    std::unique_ptr<texts> sentences;
    std::map<std::string, compiled, std::less<>> mails;
    std::string version;
    std::vector<std::string> problems;

    explicit state(const std::filesystem::path& folder) {
        sentences = std::make_unique<texts>(folder, problems);
        std::set<std::string> used;
        for (const auto& what : all_kinds()) {
            const auto some = make_sample(1);
            const auto values = make_view(what, fallback_language, some.known, some.read, {});
            if (what.has_mail) {
                used.insert(absolute_key(what, ".subject"));
                mails.emplace(what.name, compiled{compile(folder, what, "html", values, used),
                                                  compile(folder, what, "txt", values, used)});
            }
            if (what.has_push) {
                used.insert(absolute_key(what, ".push.title"));
                used.insert(absolute_key(what, ".push.body"));
            }
        }
        check_texts(used);
        version = version_of(folder);
    }

    engine_template compile(const std::filesystem::path& folder, const kind& what,
                            std::string_view form, const view& values,
                            std::set<std::string>& used) {
        auto composed = compose(folder, what, form, values, *sentences, problems);
        used.merge(composed.text_keys);
        engine_template out(composed.source, form == "html" ? engine_template::form::html
                                                            : engine_template::form::text);
        if (!out.problem().empty()) {
            problems.push_back(fmt::format("{}.{}: {}", what.name, form, out.problem()));
        }
        return out;
    }

    /// Each text is used, and names only variables of the kinds that use it.
    void check_texts(const std::set<std::string>& used) {
        for (const auto& key : used) {
            if (!sentences->has(key)) {
                problems.push_back(fmt::format("there is no text {}", key));
            }
        }
        for (const auto& key : sentences->keys()) {
            if (!used.contains(key)) {
                problems.push_back(fmt::format("text {} is not used", key));
            }
        }
        for (const auto& what : all_kinds()) {
            const auto some = make_sample(1);
            const auto values = make_view(what, fallback_language, some.known, some.read, {});
            for (const auto& key : used) {
                const bool concerns =
                    key.starts_with("common.") || key.starts_with(fmt::format("{}.", what.name));
                for (const auto& name : sentences->arguments(key)) {
                    if (concerns && !values.contains(name)) {
                        problems.push_back(
                            fmt::format("text {}: {} has no variable {}", key, what.name, name));
                    }
                }
            }
        }
    }

    static std::string version_of(const std::filesystem::path& folder) {
        std::map<std::string, std::string> files;
        std::error_code missing;
        for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
            std::ostringstream content;
            content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
            files[entry.path().filename().string()] = content.str();
        }
        std::string all;
        for (const auto& [name, content] : files) {
            all += fmt::format("{}\n{}\n{}", name, content.size(), content);
        }
        return to_hex(sha256(as_bytes(all))).substr(0, 16);
    }
};

namespace {

void check_mail(const result<mail_text>& made, std::string_view where,
                std::vector<std::string>& problems) {
    const auto note = [&](std::string_view what) {
        problems.push_back(fmt::format("{}: {}", where, what));
    };
    if (!made) {
        note(fmt::format("{}: {}", made.error().slug, made.error().detail));
        return;
    }
    if (made->subject.size() > subject_max || made->subject.find('\n') != std::string::npos) {
        note("the subject is longer than 255 bytes or has a line break");
    }
    if (made->html.size() > html_max) {
        note("the HTML is larger than 100 KB");
    }
    if (made->html.find("{{") != std::string::npos || made->text.find("{{") != std::string::npos) {
        note("a tag is left in the result");
    }
    if (made->html.find("<b>") != std::string::npos) {
        note("a value is not escaped");
    }
}

} // namespace

template_set::template_set(const std::filesystem::path& folder)
    : state_(std::make_unique<state>(folder)) {
    // Rendering makes sense only with sound parts.
    for (const auto& what : all_kinds()) {
        for (const auto language : languages) {
            for (const int number : samples) {
                if (!state_->problems.empty()) {
                    break;
                }
                const auto some = make_sample(number);
                const auto values = make_view(what, language, some.known, some.read,
                                              {"Brand", "https://brand.example"});
                const auto where = fmt::format("{} ({}, sample {})", what.name, language, number);
                if (what.has_mail) {
                    check_mail(mail(what, language, values), where, state_->problems);
                }
                if (const auto made = push(what, language, values); what.has_push && !made) {
                    state_->problems.push_back(fmt::format("{}: {}", where, made.error().detail));
                }
            }
        }
    }
    if (!state_->problems.empty()) {
        throw std::runtime_error(fmt::format("templates in {}:\n  {}", folder.string(),
                                             fmt::join(state_->problems, "\n  ")));
    }
}

template_set::~template_set() = default;

result<mail_text> template_set::mail(const kind& what, std::string_view language,
                                     const view& values) {
    const auto found = state_->mails.find(what.name);
    if (found == state_->mails.end()) {
        return fail(error_kind::internal, "unknown-template", std::string(what.name));
    }
    const auto& sentences = *state_->sentences;
    auto subject = sentences.format(language, absolute_key(what, ".subject"), values);
    if (!subject) {
        return fail(subject);
    }
    auto html = found->second.html.render(what, language, sentences, values);
    if (!html) {
        return fail(html);
    }
    auto text = found->second.text.render(what, language, sentences, values);
    if (!text) {
        return fail(text);
    }
    return mail_text{std::move(*subject), std::move(*html), std::move(*text)};
}

result<push_text> template_set::push(const kind& what, std::string_view language,
                                     const view& values) const {
    const auto& sentences = *state_->sentences;
    auto title = sentences.format(language, absolute_key(what, ".push.title"), values);
    if (!title) {
        return fail(title);
    }
    auto body = sentences.format(language, absolute_key(what, ".push.body"), values);
    if (!body) {
        return fail(body);
    }
    return push_text{std::move(*title), std::move(*body)};
}

const std::string& template_set::version() const {
    return state_->version;
}

} // namespace relais::notification
