#pragma once

#include "config/secret.hpp"
#include "notification/delivery/outcome.hpp"

#include <chrono>
#include <string>

namespace relais::notification {

/// What happens when the server does not offer STARTTLS. For smtp:// only; smtps:// is TLS always.
enum class starttls { required, optional, never };

struct smtp_settings {
    std::string url;  ///< smtp://host:port or smtps://host:port
    std::string user; ///< empty: no authentication
    config::secret password;
    notification::starttls tls = starttls::required;
    std::string ca_file; ///< empty: the system's certificates
    std::chrono::milliseconds timeout{10'000};
};

/// What libcurl knows after a session.
struct smtp_end {
    int curl_code = 0; ///< CURLcode
    long reply = 0;    ///< the server's last reply code, 0: none
    bool message_read =
        false; ///< all of the message was handed over: the final point may have gone out
};

/// accepted; refused (5xx, bad recipient); throttled (4xx: the server says later); channel_refused
/// (authentication, TLS policy); not_sent; ambiguous (lost after the final point).
send_outcome classify(const smtp_end& ended);

/// One session, one message, blocking (libcurl). Never throws. The envelope's sender is `from`.
smtp_end run_smtp_session(const smtp_settings& settings, const std::string& from,
                          const std::string& to, const std::string& message);

} // namespace relais::notification
