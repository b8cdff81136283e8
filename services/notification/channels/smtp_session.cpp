#include "notification/channels/smtp_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <curl/curl.h>
#include <memory>

namespace relais::notification {
namespace {

struct easy_deleter {
    void operator()(CURL* handle) const {
        curl_easy_cleanup(handle);
    }
};

struct list_deleter {
    void operator()(curl_slist* list) const {
        curl_slist_free_all(list);
    }
};

/// libcurl's global state belongs to the process.
struct curl_library {
    curl_library() {
        curl_global_init(CURL_GLOBAL_DEFAULT);
    }
};

struct reading {
    std::string_view rest;
    bool ended = false;
};

std::size_t read_message(char* out, std::size_t size, std::size_t count, void* state) {
    auto& from = *static_cast<reading*>(state);
    const auto length = std::min(size * count, from.rest.size());
    std::memcpy(out, from.rest.data(), length);
    from.rest.remove_prefix(length);
    if (length == 0) {
        from.ended = true; // after this libcurl writes the final point
    }
    return length;
}

long tls_level(starttls policy) {
    switch (policy) {
    case starttls::required:
        return CURLUSESSL_ALL;
    case starttls::optional:
        return CURLUSESSL_TRY;
    case starttls::never:
        return CURLUSESSL_NONE;
    }
    return CURLUSESSL_ALL;
}

} // namespace

send_outcome classify(const smtp_end& ended) {
    send_outcome out;
    out.reason = ended.reply > 0 ? fmt::format("smtp-{}", ended.reply)
                                 : fmt::format("smtp-curl-{}", ended.curl_code);
    switch (ended.curl_code) {
    case CURLE_OK:
        return {send_result::accepted, "", "", {}, {}};
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_LOGIN_DENIED:
        out.result = send_result::channel_refused;
        return out;
    default:
        break;
    }
    const bool lost = ended.curl_code == CURLE_OPERATION_TIMEDOUT ||
                      ended.curl_code == CURLE_RECV_ERROR || ended.curl_code == CURLE_GOT_NOTHING ||
                      (ended.curl_code == CURLE_SEND_ERROR && ended.reply < 400);
    if (lost) {
        out.result = ended.message_read ? send_result::ambiguous : send_result::not_sent;
        return out;
    }
    if (ended.reply >= 500) {
        out.result = ended.reply == 530 || ended.reply == 535 ? send_result::channel_refused
                                                              : send_result::refused;
    } else if (ended.reply >= 400) {
        // "Later" for this message (greylisting, a full mailbox) or for all (421).
        out.result = ended.reply == 421 ? send_result::throttled : send_result::provider_error;
    } else {
        out.result = ended.message_read ? send_result::ambiguous : send_result::not_sent;
    }
    return out;
}

smtp_end run_smtp_session(const smtp_settings& settings, const std::string& from,
                          const std::string& to, const std::string& message) {
    static const curl_library library;
    smtp_end out;
    const std::unique_ptr<CURL, easy_deleter> session(curl_easy_init());
    const std::unique_ptr<curl_slist, list_deleter> recipients(
        curl_slist_append(nullptr, fmt::format("<{}>", to).c_str()));
    if (!session || !recipients) {
        out.curl_code = CURLE_FAILED_INIT;
        return out;
    }
    reading state{message};
    auto* const handle = session.get();
    const auto sender = fmt::format("<{}>", from);
    curl_easy_setopt(handle, CURLOPT_URL, settings.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(handle, CURLOPT_USE_SSL, tls_level(settings.tls));
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings.ca_file.empty()) {
        curl_easy_setopt(handle, CURLOPT_CAINFO, settings.ca_file.c_str());
    }
    if (!settings.user.empty()) {
        curl_easy_setopt(handle, CURLOPT_USERNAME, settings.user.c_str());
        curl_easy_setopt(handle, CURLOPT_PASSWORD, settings.password.reveal().c_str());
    }
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(settings.timeout.count() / 2));
    curl_easy_setopt(handle, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(handle, CURLOPT_READDATA, &state);
    out.curl_code = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &out.reply);
    out.message_read = state.ended;
    return out;
}

} // namespace relais::notification
