#pragma once

#include "notification/domain/kinds.hpp"
#include "notification/rendering/texts.hpp"
#include "result/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace relais::notification {

/// A parsed mustache template (kainjow). Not thread-safe: rendering changes it.
class engine_template {
public:
    enum class form { html, text };

    engine_template(const std::string& source, form as);
    ~engine_template();
    engine_template(engine_template&&) noexcept;
    engine_template& operator=(engine_template&&) noexcept;

    /// The parser's words, or empty.
    const std::string& problem() const;

    /// In HTML every value and every text is escaped, the apostrophe as &#39; because old mail
    /// clients do not know &apos;. Errors: `internal` / "missing-variable" where the engine would
    /// print nothing, or what texts::format returns.
    result<std::string> render(const kind& what, std::string_view language, const texts& sentences,
                               const view& values);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::notification
