#include "web-api/handlers/idempotency.hpp"

#include "ids/encoding.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

constexpr std::size_t key_max = 255;

bool is_acceptable(std::string_view key) {
    return !key.empty() && key.size() <= key_max &&
           std::ranges::all_of(key, [](char c) { return c >= 0x21 && c <= 0x7E; });
}

std::string fingerprint(const dependencies& with, const http::request& request) {
    std::string text;
    text.reserve(request.path.size() + request.query.size() + request.body.size() + 16);
    text.append(request.method).append(" ").append(request.path);
    text.append("?").append(request.query).append("\n").append(request.body);
    return to_hex(hmac_sha256(with.request_fingerprint_key, as_bytes(text)));
}

http::response replay(const pg::stored_answer& stored) {
    http::response again;
    again.status = stored.status;
    again.body = stored.body;
    if (!stored.content_type.empty()) {
        again.headers.set("Content-Type", stored.content_type);
    }
    if (!stored.location.empty()) {
        again.headers.set("Location", stored.location);
    }
    again.headers.set("Idempotent-Replayed", "true");
    return again;
}

pg::stored_answer to_stored(const http::response& answer) {
    const auto header = [&answer](std::string_view name) {
        return std::string(answer.headers.find(name).value_or(""));
    };
    return {answer.status, header("Content-Type"), header("Location"), answer.body};
}

} // namespace

result<std::optional<pg::idempotency_key>> idempotency_key_of(const dependencies& with,
                                                              const http::request& request) {
    if (!request.headers.has("idempotency-key")) {
        return std::nullopt;
    }
    const auto key = request.header("idempotency-key");
    if (!is_acceptable(key) || request.headers.count("idempotency-key") > 1) {
        return fail(error_kind::invalid, "invalid-idempotency-key",
                    "one key of 1 to 255 printable ASCII characters", "/header/idempotency-key");
    }
    return pg::idempotency_key{request.caller ? request.caller->account.text() : "anonymous",
                               std::string(key), request.method + " " + request.route,
                               fingerprint(with, request)};
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
        return replay(**stored);
    }
    auto first = work();
    if (first) {
        pg::keep_answer(tx, *key, to_stored(*first));
    }
    return first;
}

} // namespace relais::web_api
