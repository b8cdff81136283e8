#pragma once

#include "rest/client.hpp"

#include <string>
#include <string_view>

namespace relais::rest {

/// What is known about a call that ended without an answer.
struct broken_call {
    bool head_written = false; ///< the request line and all headers went out
    bool time_is_up = false;   ///< call::timeout passed
    bool answer_too_large = false;
    std::string what; ///< the library's words
};

/// Whether the provider may have seen the request. Everything before the head was written (name,
/// connection, TLS) surely did not reach it; from then on nobody can know.
no_answer classify(const broken_call& broken, std::string_view client_name);

/// What may be done after a call, whoever the provider is.
enum class retry_class {
    accepted,          ///< 2xx
    retry_safe,        ///< nothing was done: try again, after the time that was asked for
    provider_error,    ///< the provider says that it failed: try again later
    ambiguous,         ///< it may have been done: look it up or repeat with the same key
    permanent_item,    ///< this request will never be accepted
    permanent_channel, ///< no request will be accepted until somebody changes something
};

/// By status. A 5xx is the provider's own word only when its body is what the provider sends
/// (`body_is_the_providers`: its JSON error); an empty body or a proxy's page proves nothing.
retry_class class_of(const answer& given, bool body_is_the_providers);

retry_class class_of(const no_answer& missing);

std::string_view to_string(retry_class value);

} // namespace relais::rest
