#include "objectstore/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace relais::objectstore {
namespace {

/// Codes that S3 servers use for "not now", whatever status they come with.
constexpr std::array<std::string_view, 7> passing_codes{
    "InternalError",    "SlowDown",        "ServiceUnavailable",        "RequestTimeout",
    "OperationAborted", "TooManyRequests", "ConditionalRequestConflict"};

bool is_passing(int status, std::string_view code) {
    const bool known = std::ranges::find(passing_codes, code) != passing_codes.end();
    return known || status == 429 || status >= 500;
}

} // namespace

std::string error_code(std::string_view body) {
    constexpr std::string_view open = "<Code>";
    constexpr std::string_view close = "</Code>";
    constexpr std::size_t longest = 64;
    if (body.find("<Error>") == std::string_view::npos) {
        return {};
    }
    const auto start = body.find(open);
    const auto end = body.find(close, start == std::string_view::npos ? 0 : start);
    if (start == std::string_view::npos || end == std::string_view::npos) {
        return {};
    }
    const auto code = body.substr(start + open.size(), end - start - open.size());
    return std::string(code.substr(0, longest));
}

result<void> check_answer(int status, std::string_view body) {
    const bool success = status >= 200 && status < 300;
    const std::string code = error_code(body.substr(0, std::size_t{4} * 1024));
    if (success && code.empty()) {
        return {};
    }
    const std::string detail = fmt::format("status {} {}", status, code);
    if (is_passing(status, code)) {
        return fail(error_kind::unavailable, "objectstore-unavailable", detail);
    }
    if (status == 404 && code != "NoSuchBucket") {
        return fail(error_kind::not_found, "no-such-object", detail);
    }
    if (status == 412) {
        return fail(error_kind::conflict, "object-exists", detail);
    }
    if (status == 401 || status == 403) {
        return fail(error_kind::forbidden, "objectstore-denied", detail);
    }
    return fail(error_kind::internal, "objectstore-bad-answer", detail);
}

std::string_view code_label(int status) {
    if (status == 403) {
        return "403";
    }
    if (status == 404) {
        return "404";
    }
    switch (status / 100) {
    case 2:
        return "2xx";
    case 4:
        return "4xx";
    case 5:
        return "5xx";
    default:
        return "other";
    }
}

} // namespace relais::objectstore
