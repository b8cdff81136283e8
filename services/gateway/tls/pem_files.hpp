#pragma once

#include "gateway/tls/openssl_handles.hpp"
#include "result/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// `invalid` with the file's name before what is wrong with it.
std::unexpected<error> fail_file(const std::string& file, std::string slug, std::string_view what);

/// The whole file, 1 MiB at most. Errors: "unreadable-file", "oversized-file".
result<std::string> read_small_file(const std::string& file);

/// The certificates in a PEM file, in its order, at least one; other blocks are passed over.
/// Errors: those of reading, "no-certificate", "broken-certificate".
result<std::vector<certificate_handle>> read_certificates(const std::string& file);

/// The first private key in a PEM file. Errors: those of reading, "no-private-key" (also for one
/// that a pass phrase protects: nobody is there to enter it).
result<key_handle> read_private_key(const std::string& file);

/// Leaf first, as a server or client shows it.
struct key_and_chain {
    certificate_handle leaf;
    chain_handle chain; ///< without the leaf; may be empty
    key_handle key;
};

/// Reads both files and checks that they belong together. Adds what is wrong to `problems`, also
/// several things; only with none is the value complete. Errors beyond those of reading:
/// "key-mismatch", "broken-chain".
key_and_chain read_key_and_chain(const std::string& chain_file, const std::string& key_file,
                                 std::vector<error>& problems);

/// A store that trusts the certificates of a PEM file, or the system's when `file` is empty.
result<trust_handle> read_trust(const std::string& file);

} // namespace relais::gateway
