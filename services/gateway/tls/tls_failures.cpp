#include "gateway/tls/tls_session.hpp"
#include "gateway/tls/tls_session_state.hpp"

#include <fmt/format.h>
#include <openssl/sslerr.h>

#include <array>
#include <cstring>

namespace relais::gateway {
namespace {

struct failure_row {
    tls_failure failure;
    std::string_view label;
};

constexpr std::array failures{
    failure_row{tls_failure::none, "none"},
    failure_row{tls_failure::plain_http, "plain_http"},
    failure_row{tls_failure::not_tls, "not_tls"},
    failure_row{tls_failure::truncated, "truncated"},
    failure_row{tls_failure::reset, "reset"},
    failure_row{tls_failure::unsupported_version, "unsupported_version"},
    failure_row{tls_failure::no_shared_parameters, "no_shared_parameters"},
    failure_row{tls_failure::no_shared_protocol, "no_shared_protocol"},
    failure_row{tls_failure::certificate_missing, "certificate_missing"},
    failure_row{tls_failure::certificate_refused, "certificate_refused"},
    failure_row{tls_failure::alert_received, "alert_received"},
    failure_row{tls_failure::protocol_violated, "protocol_violated"},
    failure_row{tls_failure::internal, "internal"},
};

constexpr bool rows_stand_in_order() {
    for (std::size_t i = 0; i < failures.size(); ++i) {
        if (static_cast<std::size_t>(failures[i].failure) != i) {
            return false;
        }
    }
    return true;
}

static_assert(rows_stand_in_order(), "to_string() indexes by failure");

struct reason_row {
    int reason;
    tls_failure failure;
};

constexpr std::array reasons{
    reason_row{SSL_R_UNEXPECTED_EOF_WHILE_READING, tls_failure::truncated},
    reason_row{SSL_R_UNSUPPORTED_PROTOCOL, tls_failure::unsupported_version},
    reason_row{SSL_R_VERSION_TOO_LOW, tls_failure::unsupported_version},
    reason_row{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, tls_failure::unsupported_version},
    reason_row{SSL_R_NO_SHARED_CIPHER, tls_failure::no_shared_parameters},
    reason_row{SSL_R_NO_SHARED_GROUPS, tls_failure::no_shared_parameters},
    reason_row{SSL_R_NO_SUITABLE_KEY_SHARE, tls_failure::no_shared_parameters},
    reason_row{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, tls_failure::no_shared_parameters},
    reason_row{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, tls_failure::no_shared_parameters},
    reason_row{SSL_R_NO_APPLICATION_PROTOCOL, tls_failure::no_shared_protocol},
    reason_row{SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, tls_failure::no_shared_protocol},
    reason_row{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, tls_failure::certificate_missing},
    reason_row{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, tls_failure::certificate_missing},
    reason_row{SSL_R_CERTIFICATE_VERIFY_FAILED, tls_failure::certificate_refused},
    reason_row{SSL_R_WRONG_VERSION_NUMBER, tls_failure::not_tls},
    reason_row{ERR_R_MALLOC_FAILURE, tls_failure::internal},
    reason_row{ERR_R_INTERNAL_ERROR, tls_failure::internal},
};

tls_failure failure_of(unsigned long code) {
    const int reason = ERR_GET_REASON(code);
    for (const auto& row : reasons) {
        if (row.reason == reason) {
            return row.failure;
        }
    }
    return reason > SSL_AD_REASON_OFFSET ? tls_failure::alert_received
                                         : tls_failure::protocol_violated;
}

} // namespace

std::string_view to_string(tls_failure failure) {
    return failures[static_cast<std::size_t>(failure)].label;
}

/// The socket's own end comes first: what OpenSSL says about it is a consequence. The oldest entry
/// of the queue is the cause, later ones tell where it passed through.
tls_failure classify_failure(tls_session_state& state) {
    unsigned long code = 0;
    while (const auto next = ERR_get_error()) {
        if (code == 0 || ERR_GET_LIB(code) != ERR_LIB_SSL) {
            code = next;
        }
    }
    state.failure_code = code;
    if (state.socket.error() != 0) {
        return tls_failure::reset;
    }
    if (state.socket.ended()) {
        return tls_failure::truncated;
    }
    return code == 0 ? tls_failure::internal : failure_of(code);
}

std::string tls_session::failure_text() const {
    const auto& state = *state_;
    std::string out(to_string(state.failure));
    if (state.socket.error() != 0) {
        return fmt::format("{}: {}", out, std::strerror(state.socket.error()));
    }
    if (state.failure == tls_failure::certificate_refused) {
        const auto verdict = SSL_get_verify_result(state.ssl.get());
        return fmt::format("{}: {}", out, X509_verify_cert_error_string(verdict));
    }
    const char* reason = ERR_reason_error_string(state.failure_code);
    return reason == nullptr ? out : fmt::format("{}: {}", out, reason);
}

} // namespace relais::gateway
