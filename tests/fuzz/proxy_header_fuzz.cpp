// The PROXY protocol's header, both versions. Fed in growing pieces it must come to the same end as
// fed whole, and never take more than there is.
#include "fuzz/fuzz_target.hpp"
#include "gateway/client_address/proxy_protocol.hpp"

#include <algorithm>

using namespace relais;
using namespace relais::gateway;

namespace {

bool same(const proxy_header& a, const proxy_header& b) {
    return a.use_peer == b.use_peer && a.source == b.source && a.destination == b.destination &&
           a.source_port == b.source_port && a.destination_port == b.destination_port &&
           a.over_tls == b.over_tls;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::as_text(data, size);
    const proxy_protocol_limits limits;
    proxy_header whole;
    const auto taken = parse_proxy_header(bytes, limits, whole);
    if (taken) {
        fuzz::require(*taken <= size && *taken <= 16 + limits.block_bytes_max);
        fuzz::require(*taken > 0 || size < 16 + limits.block_bytes_max);
    } else {
        fuzz::require(taken.error().slug == "malformed-proxy-header");
    }
    const auto last = std::min<std::size_t>(size, 16 + limits.block_bytes_max);
    for (std::size_t i = 0; i <= last; ++i) {
        proxy_header piece;
        const auto early = parse_proxy_header(bytes.substr(0, i), limits, piece);
        if (early && *early == 0) {
            fuzz::require(!taken || *taken == 0 || i < *taken);
            continue;
        }
        // What is decided does not change with what comes behind it.
        fuzz::require(early.has_value() == taken.has_value());
        if (early) {
            fuzz::require(*early == *taken && i == *early && same(piece, whole));
        }
        break;
    }
    return 0;
}
