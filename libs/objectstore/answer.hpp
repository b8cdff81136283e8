#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>

namespace relais::objectstore {

/// The content of <Code> in an S3 error document; empty when there is none (HEAD answers have no
/// body).
std::string error_code(std::string_view body);

/// What an answer means. Success for 2xx without an error document (some operations answer 200 and
/// fail in the body). Decided by status and code only: Ceph leaves <Message> empty.
/// Errors: `not_found` / "no-such-object"; `conflict` / "object-exists" (412); `forbidden` /
/// "objectstore-denied"; `unavailable` / "objectstore-unavailable" (worth another try); `internal`
/// / "objectstore-bad-answer" for the rest, a missing bucket included.
result<void> check_answer(int status, std::string_view body);

/// The value of the metric label `code`: "2xx", "403", "404", "4xx", "5xx", "other".
std::string_view code_label(int status);

} // namespace relais::objectstore
