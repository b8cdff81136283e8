#include "upload/handlers/idempotency.hpp"

#include "ids/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::upload {
namespace {

constexpr std::size_t key_max = 255;

bool is_acceptable(std::string_view key) {
    return !key.empty() && key.size() <= key_max &&
           std::ranges::all_of(key, [](char c) { return c >= 0x21 && c <= 0x7E; });
}

} // namespace

result<std::optional<pg::idempotency_key>> idempotency_key_of(const http::request& request) {
    if (!request.headers.has("idempotency-key")) {
        return std::nullopt;
    }
    const auto key = request.header("idempotency-key");
    if (!is_acceptable(key) || request.headers.count("idempotency-key") > 1) {
        return fail(error_kind::invalid, "invalid-idempotency-key",
                    "one key of 1 to 255 printable ASCII characters", "/header/idempotency-key");
    }
    const auto text = fmt::format("{} {}\n{}", request.method, request.path, request.body);
    return pg::idempotency_key{request.caller->account.text(), std::string(key),
                               request.method + " " + request.route,
                               to_hex(sha256(as_bytes(text)))};
}

result<http::response> once(pg::transaction& tx, const std::optional<pg::idempotency_key>& key,
                            timestamp now, const std::function<result<http::response>()>& work) {
    if (!key) {
        return work();
    }
    const auto stored = pg::take_key(tx, *key, now);
    if (!stored) {
        return fail(stored);
    }
    if (*stored) {
        auto again = http::response::json((*stored)->status, (*stored)->body);
        again.headers.set("Location", (*stored)->location);
        again.headers.set("Idempotent-Replayed", "true");
        return again;
    }
    auto first = work();
    if (first) {
        const auto header = [&first](std::string_view name) {
            return std::string(first->headers.find(name).value_or(""));
        };
        pg::keep_answer(tx, *key,
                        {first->status, header("Content-Type"), header("Location"), first->body});
    }
    return first;
}

} // namespace relais::upload
