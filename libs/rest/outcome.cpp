#include "rest/outcome.hpp"

#include <fmt/format.h>

namespace relais::rest {

no_answer classify(const broken_call& broken, std::string_view client_name) {
    const auto reason = [&](error_kind kind, std::string_view slug) {
        return error{kind, fmt::format("{}-{}", client_name, slug), broken.what, "", std::nullopt};
    };
    if (broken.answer_too_large) {
        return {false, reason(error_kind::too_large, "answer-too-large")};
    }
    if (broken.time_is_up) {
        return {!broken.head_written, reason(error_kind::timeout, "timeout")};
    }
    if (!broken.head_written) {
        return {true, reason(error_kind::unavailable, "unreachable")};
    }
    return {false, reason(error_kind::unavailable, "connection-lost")};
}

retry_class class_of(const answer& given, bool body_is_the_providers) {
    const int status = given.status;
    if (status >= 200 && status < 300) {
        return retry_class::accepted;
    }
    if (status == 429 || status == 425) {
        return retry_class::retry_safe;
    }
    if (status == 401 || status == 402 || status == 403) {
        return retry_class::permanent_channel;
    }
    if (status == 408) {
        return retry_class::ambiguous;
    }
    if (status >= 500) {
        if (status == 503 && given.retry_after()) {
            return retry_class::retry_safe;
        }
        return body_is_the_providers && status != 504 && status != 524 ? retry_class::provider_error
                                                                       : retry_class::ambiguous;
    }
    // 4xx; and a redirect, which no provider of ours gives to a right address.
    return retry_class::permanent_item;
}

retry_class class_of(const no_answer& missing) {
    return missing.surely_not_sent ? retry_class::retry_safe : retry_class::ambiguous;
}

std::string_view to_string(retry_class value) {
    switch (value) {
    case retry_class::accepted:
        return "accepted";
    case retry_class::retry_safe:
        return "retry-safe";
    case retry_class::provider_error:
        return "provider-error";
    case retry_class::ambiguous:
        return "ambiguous";
    case retry_class::permanent_item:
        return "permanent-item";
    case retry_class::permanent_channel:
        return "permanent-channel";
    }
    return "unknown";
}

} // namespace relais::rest
