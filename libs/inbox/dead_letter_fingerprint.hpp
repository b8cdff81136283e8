#pragma once

#include <string>
#include <string_view>

namespace relais::inbox {

/// The detail of an error without what differs from case to case: quoted parts become "…", UUIDs,
/// long hexadecimal words and words of letters and digits <id>, numbers <n>. At most 200 bytes.
std::string detail_pattern(std::string_view detail);

/// The detail of the last of a letter's errors ([{at, attempt, kind, slug, detail}]); empty when
/// there is none.
std::string last_detail(std::string_view errors);

/// What letters of the same trouble have in common, as 12 hexadecimal digits.
std::string fingerprint(std::string_view type, std::string_view reason, std::string_view pattern);

} // namespace relais::inbox
