#include "gateway/tls/served_certificate.hpp"

#include "clock/rfc3339.hpp"
#include "gateway/tls/certificate_text.hpp"

#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <optional>

namespace relais::gateway {
namespace {

constexpr int rsa_bits_min = 2'048;

/// Nothing: no client would take it, or only some.
std::optional<key_kind> kind_of(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        return EVP_PKEY_get_bits(key) >= rsa_bits_min ? std::optional(key_kind::rsa) : std::nullopt;
    }
    std::array<char, 64> group{};
    if (EVP_PKEY_is_a(key, "EC") != 1 ||
        EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) {
        return std::nullopt;
    }
    const int curve = OBJ_txt2nid(group.data());
    return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 ? std::optional(key_kind::ecdsa)
                                                                   : std::nullopt;
}

struct validity {
    timestamp from;
    timestamp to;
};

validity validity_of(const X509* certificate) {
    return {to_timestamp(X509_get0_notBefore(certificate)),
            to_timestamp(X509_get0_notAfter(certificate))};
}

/// A chain is good for as long as all of it is.
timestamp end_of(const key_and_chain& material) {
    auto out = validity_of(material.leaf.get()).to;
    for (int i = 0; i < sk_X509_num(material.chain.get()); ++i) {
        out = std::min(out, validity_of(sk_X509_value(material.chain.get(), i)).to);
    }
    return out;
}

} // namespace

void check_validity(const key_and_chain& material, const std::string& chain_file, timestamp now,
                    std::vector<error>& problems) {
    const auto valid = validity_of(material.leaf.get());
    if (now > valid.to) {
        const auto what = "expired on " + to_rfc3339(valid.to);
        problems.push_back(fail_file(chain_file, "certificate-expired", what).error());
    }
    if (now < valid.from) {
        const auto what = "not valid before " + to_rfc3339(valid.from);
        problems.push_back(fail_file(chain_file, "certificate-not-yet-valid", what).error());
    }
}

served_certificate read_served_certificate(const certificate_files& files, timestamp now,
                                           std::vector<error>& problems) {
    served_certificate out;
    out.material = read_key_and_chain(files.chain_file, files.key_file, problems);
    if (out.material.leaf == nullptr) {
        return out;
    }
    const auto note = [&](std::string slug, std::string_view what) {
        problems.push_back(fail_file(files.chain_file, std::move(slug), what).error());
    };
    auto names = names_in(out.material.leaf.get());
    const auto kind = kind_of(out.material.key.get());
    if (!kind) {
        note("unsupported-key", "the key is neither RSA of 2048 bits or more, nor P-256 or P-384");
    }
    if (names.dns.empty() && names.addresses == 0) {
        note("no-subject-alternative-name", "no DNS name or address in it");
    }
    check_validity(out.material, files.chain_file, now, problems);
    out.facts = {files.chain_file,
                 subject_of(out.material.leaf.get()),
                 std::move(names.dns),
                 kind.value_or(key_kind::rsa),
                 validity_of(out.material.leaf.get()).from,
                 end_of(out.material)};
    return out;
}

} // namespace relais::gateway
