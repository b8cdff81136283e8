#include "support/tls_certificates.hpp"

#include "ids/uuid.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <memory>
#include <stdexcept>

namespace relais::test {
namespace {

template <auto Free>
struct freed_by {
    template <class Type>
    void operator()(Type* held) const {
        Free(held);
    }
};

using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_handle = std::unique_ptr<BIO, freed_by<BIO_free>>;

void require(bool is_fine, const char* what) {
    if (!is_fine) {
        throw std::runtime_error(what);
    }
}

key_handle make_key(const std::string& kind) {
    EVP_PKEY* key = nullptr;
    if (kind == "RSA" || kind == "RSA-1024") {
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA",
                                static_cast<std::size_t>(kind == "RSA" ? 2'048 : 1'024));
    } else if (kind == "ED25519") {
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    } else {
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str());
    }
    require(key != nullptr, "no key");
    return key_handle(key);
}

void add_extension(X509* certificate, int which, const std::string& value) {
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, which, const_cast<char*>(value.c_str()));
    require(extension != nullptr, "no extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

std::string alternative_names(const certificate_request& request) {
    std::string out;
    const auto add = [&](const std::string& kind, const std::string& value) {
        out += (out.empty() ? "" : ",") + kind + ":" + value;
    };
    for (const auto& each : request.dns_names) {
        add("DNS", each);
    }
    for (const auto& each : request.addresses) {
        add("IP", each);
    }
    if (!request.uri.empty()) {
        add("URI", request.uri);
    }
    return out;
}

certificate_handle make_certificate(const certificate_request& request, EVP_PKEY* key,
                                    const X509* issuer, EVP_PKEY* issuer_key) {
    certificate_handle out(X509_new());
    X509* const raw = out.get();
    static long serial = 1;
    X509_set_version(raw, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(raw), static_cast<long>(request.valid_from.count()));
    X509_gmtime_adj(X509_getm_notAfter(raw), static_cast<long>(request.valid_to.count()));
    X509_set_pubkey(raw, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(request.common_name.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(raw, X509_get_subject_name(issuer != nullptr ? issuer : raw));
    add_extension(raw, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    const auto names = alternative_names(request);
    if (!names.empty()) {
        add_extension(raw, NID_subject_alt_name, names);
    }
    require(X509_sign(raw, issuer_key, EVP_sha256()) > 0, "not signed");
    return out;
}

std::string text_in(BIO* memory) {
    char* begin = nullptr;
    const auto size = BIO_get_mem_data(memory, &begin);
    return {begin, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
    const bio_handle memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(memory.get(), certificate);
    return text_in(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
    const bio_handle memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_in(memory.get());
}

} // namespace

certificate_folder::certificate_folder()
    : path_(std::filesystem::temp_directory_path() / ("relais-tls-" + make_uuid_v7().text())) {
    std::filesystem::create_directories(path_);
}

certificate_folder::~certificate_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string certificate_folder::file(const std::string& name) const {
    return (path_ / name).string();
}

std::string certificate_folder::write(const std::string& name, const std::string& text) const {
    const auto path = file(name);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    return path;
}

struct certificate_authority::state {
    const certificate_folder& folder;
    key_handle key;
    certificate_handle certificate;
    std::string ca_file;
};

certificate_authority::certificate_authority(const certificate_folder& folder,
                                             const std::string& name)
    : state_(std::make_unique<state>(folder, make_key("P-256"), nullptr, std::string())) {
    certificate_request request;
    request.common_name = name;
    state_->certificate = make_certificate(request, state_->key.get(), nullptr, state_->key.get());
    state_->ca_file = folder.write(name + "-ca.pem", pem_of(state_->certificate.get()));
}

certificate_authority::~certificate_authority() = default;

const std::string& certificate_authority::ca_file() const {
    return state_->ca_file;
}

certificate_pair certificate_authority::issue(const std::string& name,
                                              const certificate_request& request) {
    const auto key = make_key(request.key);
    const auto made =
        make_certificate(request, key.get(), state_->certificate.get(), state_->key.get());
    return {
        state_->folder.write(name + ".pem", pem_of(made.get()) + pem_of(state_->certificate.get())),
        state_->folder.write(name + ".key", pem_of(key.get()))};
}

} // namespace relais::test
