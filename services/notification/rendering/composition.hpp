#pragma once

#include "notification/domain/kinds.hpp"
#include "notification/rendering/tags.hpp"
#include "notification/rendering/texts.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace relais::notification {

/// One mail body of one kind: layout.<form>.mustache with the kind's own file in the place of
/// {{> content}} and other files <part>.<form>.mustache in the place of {{> part}}.
struct composition {
    std::string source;              ///< without {{> …}}
    std::set<std::string> text_keys; ///< absolute: ".title" of a layout becomes "offer_made.title"
};

/// Puts the files of a kind together and notes what is wrong: missing files, tags that are not
/// allowed, variables that the kind's view does not have, texts that do not exist.
/// `form` is "html" or "txt".
composition compose(const std::filesystem::path& folder, const kind& what, std::string_view form,
                    const view& sample, const texts& sentences, std::vector<std::string>& problems);

/// ".title" in a mail of the kind offer_made is "offer_made.title"; other keys are themselves.
std::string absolute_key(const kind& what, std::string_view key);

} // namespace relais::notification
