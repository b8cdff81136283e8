#include "gateway/tls/certificate_text.hpp"

#include "ids/encoding.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace relais::gateway {
namespace {

std::string text_of(const ASN1_STRING* string) {
    const auto* begin = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
    return {begin, static_cast<std::size_t>(ASN1_STRING_length(string))};
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

certificate_names names_in(const X509* certificate) {
    certificate_names out;
    const names_handle names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int type = 0;
        const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
        if (type == GEN_IPADD) {
            ++out.addresses;
        }
        if (type != GEN_DNS && type != GEN_URI) {
            continue;
        }
        auto text = text_of(static_cast<const ASN1_STRING*>(value));
        if (text.empty() || text.find('\0') != std::string::npos) {
            continue;
        }
        if (type == GEN_DNS) {
            std::ranges::transform(text, text.begin(), to_lower);
        }
        (type == GEN_DNS ? out.dns : out.uris).push_back(std::move(text));
    }
    return out;
}

std::string subject_of(const X509* certificate) {
    const bio_handle text(BIO_new(BIO_s_mem()));
    if (text == nullptr || X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0,
                                              XN_FLAG_RFC2253) < 0) {
        return {};
    }
    char* begin = nullptr;
    const auto size = BIO_get_mem_data(text.get(), &begin);
    return {begin, static_cast<std::size_t>(size)};
}

std::string sha256_of(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
        return {};
    }
    return to_hex(std::span(digest).first(size));
}

timestamp to_timestamp(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return {};
    }
    return timestamp(std::chrono::seconds(timegm(&parts)));
}

} // namespace relais::gateway
