#include "gateway/tls/pem_files.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace relais::gateway {
namespace {

constexpr std::size_t file_bytes_max = 1 << 20;

bio_handle memory_of(const std::string& text) {
    return bio_handle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Whether the reader stopped because there is no further block.
bool at_end_of_blocks() {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    return code == 0 ||
           (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE);
}

int no_pass_phrase(char* /*into*/, int /*size*/, int /*writing*/, void* /*data*/) {
    return -1;
}

/// Each certificate has to be signed by the one after it (RFC 8446 §4.4.2 is laxer; clients are
/// not).
bool is_chain(const std::vector<certificate_handle>& certificates) {
    for (std::size_t i = 0; i + 1 < certificates.size(); ++i) {
        if (X509_check_issued(certificates[i + 1].get(), certificates[i].get()) != X509_V_OK) {
            return false;
        }
    }
    return true;
}

void note(std::vector<error>& problems, error what) {
    problems.push_back(std::move(what));
}

} // namespace

std::unexpected<error> fail_file(const std::string& file, std::string slug, std::string_view what) {
    return fail(error_kind::invalid, std::move(slug), fmt::format("{}: {}", file, what));
}

result<std::string> read_small_file(const std::string& file) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return fail_file(file, "unreadable-file", std::strerror(errno != 0 ? errno : EIO));
    }
    std::string out(file_bytes_max + 1, '\0');
    in.read(out.data(), static_cast<std::streamsize>(out.size()));
    const auto size = in.gcount();
    if (in.bad() || (size == 0 && !in.eof())) {
        return fail_file(file, "unreadable-file", std::strerror(errno != 0 ? errno : EIO));
    }
    out.resize(static_cast<std::size_t>(size));
    if (out.size() > file_bytes_max) {
        return fail_file(file, "oversized-file", "more than 1 MiB");
    }
    return out;
}

result<std::vector<certificate_handle>> read_certificates(const std::string& file) {
    const auto text = read_small_file(file);
    if (!text) {
        return fail(text);
    }
    const auto memory = memory_of(*text);
    std::vector<certificate_handle> out;
    ERR_clear_error();
    while (X509* next = PEM_read_bio_X509(memory.get(), nullptr, no_pass_phrase, nullptr)) {
        out.emplace_back(next);
    }
    if (!at_end_of_blocks()) {
        return fail_file(file, "broken-certificate", "a certificate in it cannot be parsed");
    }
    if (out.empty()) {
        return fail_file(file, "no-certificate", "no certificate in PEM form in it");
    }
    return out;
}

result<key_handle> read_private_key(const std::string& file) {
    auto text = read_small_file(file);
    if (!text) {
        return fail(text);
    }
    ERR_clear_error();
    key_handle key(
        PEM_read_bio_PrivateKey(memory_of(*text).get(), nullptr, no_pass_phrase, nullptr));
    ERR_clear_error();
    const bool is_protected = text->find("ENCRYPTED") != std::string::npos;
    OPENSSL_cleanse(text->data(), text->size());
    if (key == nullptr) {
        return fail_file(file, "no-private-key",
                         is_protected ? "the private key is protected by a pass phrase"
                                      : "no private key in PEM form in it");
    }
    return key;
}

key_and_chain read_key_and_chain(const std::string& chain_file, const std::string& key_file,
                                 std::vector<error>& problems) {
    key_and_chain out;
    auto certificates = read_certificates(chain_file);
    auto key = read_private_key(key_file);
    if (!certificates) {
        note(problems, certificates.error());
    }
    if (!key) {
        note(problems, key.error());
    }
    if (certificates && key &&
        X509_check_private_key(certificates->front().get(), key->get()) != 1) {
        const auto what = "the private key is not that of the certificate in " + chain_file;
        note(problems, fail_file(key_file, "key-mismatch", what).error());
    }
    if (certificates && !is_chain(*certificates)) {
        note(problems, fail_file(chain_file, "broken-chain",
                                 "each certificate has to be followed by its issuer's")
                           .error());
    }
    ERR_clear_error();
    if (!certificates || !key) {
        return out;
    }
    out.chain.reset(sk_X509_new_null());
    for (std::size_t i = 1; i < certificates->size(); ++i) {
        sk_X509_push(out.chain.get(), (*certificates)[i].release());
    }
    out.leaf = std::move(certificates->front());
    out.key = std::move(*key);
    return out;
}

result<trust_handle> read_trust(const std::string& file) {
    trust_handle store(X509_STORE_new());
    if (file.empty()) {
        X509_STORE_set_default_paths(store.get());
        return store;
    }
    const auto certificates = read_certificates(file);
    if (!certificates) {
        return fail(certificates);
    }
    for (const auto& each : *certificates) {
        X509_STORE_add_cert(store.get(), each.get());
    }
    return store;
}

} // namespace relais::gateway
