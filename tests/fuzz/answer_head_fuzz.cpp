// A service's head, answer to the method that the first byte chooses. What is taken and written
// anew for the client is one head that says the same of the body.
#include "fuzz/fuzz_target.hpp"
#include "gateway/exchange/heads.hpp"

#include <array>
#include <string>

using namespace relais;

namespace {

constexpr std::array<std::string_view, 4> methods{"GET", "HEAD", "POST", "DELETE"};

http::gate_limits with_ours() {
    http::gate_limits more;
    more.head_bytes_max *= 2;
    more.fields_max += 16;
    return more;
}

void require_goes_on(const http::response_head& head, std::string_view method) {
    gateway::answer_head answer;
    std::string out;
    gateway::take_answer_head(head, "0190163d-8694-739b-aea5-966c26f8ad91",
                              "Sun, 06 Nov 1994 08:49:37 GMT", answer);
    const bool chunked = gateway::write_answer_head(answer, method, 1, true, out);
    http::response_head again;
    const auto taken = http::parse_response_head(out, with_ours(), method, again);
    fuzz::require(taken && *taken == out.size());
    fuzz::require(again.status == head.status && again.keep_alive);
    fuzz::require(chunked == (again.framing == http::framing::chunked));
    if (head.framing == http::framing::content_length || head.framing == http::framing::none) {
        fuzz::require(again.framing == head.framing && again.body_bytes == head.body_bytes);
    } else {
        fuzz::require(chunked);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto method = methods[data[0] % methods.size()];
    const auto bytes = fuzz::as_text(data, size).substr(1);
    const http::gate_limits limits;
    http::response_head whole;
    const auto taken = http::parse_response_head(bytes, limits, method, whole);
    if (!taken) {
        fuzz::require(taken.error().slug == "malformed-answer");
        return 0;
    }
    fuzz::require(*taken <= bytes.size() && *taken <= limits.head_bytes_max);
    if (*taken == 0) {
        return 0;
    }
    for (std::size_t i = 0; i <= *taken; i += i < 64 ? 1 : 17) {
        http::response_head piece;
        const auto early = http::parse_response_head(bytes.substr(0, i), limits, method, piece);
        fuzz::require(early && *early == (i == *taken ? i : 0));
    }
    if (whole.status >= 200) {
        require_goes_on(whole, method);
    }
    return 0;
}
