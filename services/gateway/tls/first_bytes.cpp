#include "gateway/tls/first_bytes.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr char handshake_record = 22;

bool may_be_in_method(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

} // namespace

tls_failure judge_first_bytes(std::string_view head) {
    if (head.front() == handshake_record) {
        return tls_failure::none;
    }
    if (head.starts_with("\r\n")) { // a client may send an empty line first (RFC 9112 §2.2)
        head.remove_prefix(2);
    }
    const auto end = std::ranges::find_if_not(head, may_be_in_method);
    const bool is_method = end != head.begin() && (end == head.end() || *end == ' ');
    return is_method ? tls_failure::plain_http : tls_failure::not_tls;
}

} // namespace relais::gateway
