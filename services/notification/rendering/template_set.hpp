#pragma once

#include "notification/domain/kinds.hpp"
#include "notification/rendering/site.hpp"
#include "result/result.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace relais::notification {

/// A mail, ready for any provider.
struct mail_text {
    std::string subject;
    std::string html;
    std::string text;
};

struct push_text {
    std::string title;
    std::string body;
};

/// All templates and texts, checked when they are loaded: every kind has its files, every tag and
/// argument is in the kind's view, every text exists in every language and is used, all of it
/// renders with samples to something that mail clients show (HTML under 100 KB, one-line subject).
/// Not thread-safe (the template engine is not): use it on the loop's thread.
class template_set {
public:
    /// Throws std::runtime_error that lists every problem, a line each.
    explicit template_set(const std::filesystem::path& folder);
    ~template_set();
    template_set(const template_set&) = delete;
    template_set& operator=(const template_set&) = delete;

    /// Error: `internal` / "unknown-template", or what texts::format returns.
    result<mail_text> mail(const kind& what, std::string_view language, const view& values);
    result<push_text> push(const kind& what, std::string_view language, const view& values) const;

    /// Changes when any file does: 16 hex digits.
    const std::string& version() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::notification
