#pragma once

#include <string>

namespace relais::test {

/// The content behind a Content-Encoding ("gzip", "br", "zstd"); all of it must be there, up to the
/// stream's end, and nothing behind it: throws otherwise.
std::string decoded(const std::string& coding, const std::string& bytes);

/// What can be decoded of the beginning of a stream.
std::string decoded_beginning(const std::string& coding, const std::string& bytes);

} // namespace relais::test
