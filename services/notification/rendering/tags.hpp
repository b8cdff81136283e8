#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relais::notification {

/// One mustache tag of a template, as far as we allow them: {{variable}}, {{#t}}text.key{{/t}},
/// {{> part}} and {{! comment}}.
struct tag {
    enum class kind { variable, text, part, comment };
    tag::kind what = kind::variable;
    std::string name; ///< of the variable or part; for text its key
    int line = 0;
    std::size_t begin = 0; ///< where it stands in the source
    std::size_t end = 0;
};

/// Finds the tags. Whatever else mustache knows ({{{raw}}}, {{&raw}}, sections, other delimiters)
/// is a problem: values are always escaped, and decisions belong in the view.
std::vector<tag> find_tags(std::string_view source, std::string_view file,
                           std::vector<std::string>& problems);

} // namespace relais::notification
