// A client's head. What comes whole must be taken at that byte and no earlier, however it arrives;
// what is taken and written anew for a service is one head that says the same.
#include "fuzz/fuzz_target.hpp"
#include "gateway/exchange/heads.hpp"

#include <string>

using namespace relais;

namespace {

void require_same(const http::request_head& a, const http::request_head& b) {
    fuzz::require(a.method == b.method && a.path == b.path && a.query == b.query);
    fuzz::require(a.has_query == b.has_query && a.framing == b.framing);
    fuzz::require(a.body_bytes == b.body_bytes);
}

void require_goes_on(const http::request_head& head) {
    gateway::forwarding about;
    about.client_address = "192.0.2.1";
    about.request_id = "0190163d-8694-739b-aea5-966c26f8ad91";
    about.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    std::string out;
    gateway::write_request_head(head, about, out);
    http::gate_limits more; // ours are added
    more.head_bytes_max *= 2;
    more.target_bytes_max *= 4; // a path may be written longer than it came
    more.fields_max += 16;
    http::request_head again;
    const auto taken = http::parse_request_head(out, more, again);
    fuzz::require(taken && *taken == out.size());
    require_same(head, again);
    for (const auto& field : again.fields) {
        const bool ours = field.name == "X-Request-Id";
        fuzz::require(!ours || field.value == about.request_id);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::as_text(data, size);
    const http::gate_limits limits;
    http::request_head whole;
    const auto taken = http::parse_request_head(bytes, limits, whole);
    if (!taken) {
        fuzz::require(!taken.error().slug.empty());
        return 0;
    }
    fuzz::require(*taken <= size && *taken <= limits.head_bytes_max);
    if (*taken == 0) {
        return 0;
    }
    fuzz::require(whole.fields.size() <= limits.fields_max);
    for (std::size_t i = 0; i <= *taken; i += i < 64 ? 1 : 17) {
        http::request_head piece;
        const auto early = http::parse_request_head(bytes.substr(0, i), limits, piece);
        fuzz::require(early && *early == (i == *taken ? i : 0));
    }
    require_goes_on(whole);
    return 0;
}
