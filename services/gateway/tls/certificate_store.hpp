#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <chrono>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// One certificate of the gateway: PEM files. The chain's file begins with the certificate itself,
/// each followed by its issuer's; the root may be left out.
struct certificate_files {
    std::string chain_file;
    std::string key_file;

    friend bool operator==(const certificate_files&, const certificate_files&) = default;
};

enum class key_kind { ecdsa, rsa };

std::string_view to_string(key_kind kind);

/// What is worth showing of a certificate.
struct certificate_facts {
    std::string chain_file;
    std::string subject;
    std::vector<std::string> dns_names; ///< lower case, wildcards as "*.example.com"
    key_kind kind = key_kind::ecdsa;
    timestamp not_before;
    timestamp not_after; ///< the earliest of the whole chain's

    /// Until the first of the chain expires; negative after that.
    std::chrono::seconds left(timestamp now) const;
};

struct served_certificate;

/// For one name: the certificate of each kind of key, nullptr where there is none, at least one is
/// there. OpenSSL takes the one that the client can verify, ECDSA first.
struct certificate_choice {
    const served_certificate* ecdsa = nullptr;
    const served_certificate* rsa = nullptr;

    friend bool operator==(const certificate_choice&, const certificate_choice&) = default;
};

/// The certificates of the gateway as one immutable set. Thread-safe.
class certificate_store {
public:
    using load_result = std::expected<std::shared_ptr<const certificate_store>, std::vector<error>>;

    /// Reads all files and reports everything that is wrong with them together; each detail begins
    /// with the file's name. All `invalid`: "no-certificates" (an empty list), "unreadable-file",
    /// "oversized-file", "no-certificate", "broken-certificate", "no-private-key", "key-mismatch",
    /// "broken-chain", "unsupported-key" (only RSA from 2048 bits, P-256 and P-384),
    /// "certificate-expired", "certificate-not-yet-valid", "no-subject-alternative-name".
    static load_result load(std::span<const certificate_files> files, timestamp now);

    ~certificate_store();
    certificate_store(const certificate_store&) = delete;
    certificate_store& operator=(const certificate_store&) = delete;

    /// By the client's SNI, any case: the exact name, else a wildcard for its first label (RFC 6125
    /// §6.4.3), else what the first certificate's first name would get (the default). For the same
    /// name and kind of key the earlier file wins. No allocation.
    const certificate_choice& choose(std::string_view server_name) const;

    /// In the order of the files.
    const std::vector<certificate_facts>& certificates() const;

    /// The facts behind a choice, ECDSA's where there are both.
    const certificate_facts& facts(const certificate_choice& choice) const;

private:
    struct state;
    explicit certificate_store(std::unique_ptr<state> made);

    std::unique_ptr<state> state_;
};

/// The names of all the files, for whoever watches them.
std::vector<std::string> file_names(std::span<const certificate_files> files);

} // namespace relais::gateway
