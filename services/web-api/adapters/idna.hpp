#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>

namespace relais::web_api {

/// The ASCII form of a domain name in UTF-8: lower case, IDNA 2008 A-labels, non-transitional
/// (RFC 5891 by libidn2). What is ASCII already is only put in lower case; whether it is a domain
/// name is the caller's question. Error: `invalid` / "invalid-domain".
result<std::string> idna_to_ascii(std::string_view domain);

} // namespace relais::web_api
