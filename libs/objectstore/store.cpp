#include "objectstore/store.hpp"

#include "async/backoff.hpp"
#include "async/signal.hpp"
#include "ids/encoding.hpp"
#include "objectstore/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace asio = boost::asio;

namespace relais::objectstore {
namespace {

/// A failure to talk to the store, in the words of this library.
error as_store_error(const error& failed) {
    switch (failed.kind) {
    case error_kind::timeout:
        return {error_kind::timeout, "objectstore-timeout", failed.detail, {}, {}};
    case error_kind::unavailable:
        return {error_kind::unavailable, "objectstore-unavailable", failed.detail, {}, {}};
    case error_kind::too_large:
        return {error_kind::too_large, "object-too-large", failed.detail, {}, {}};
    default:
        return {error_kind::internal, "objectstore-bad-answer", failed.detail, {}, {}};
    }
}

bool worth_another_try(const error& failed) {
    return failed.kind == error_kind::unavailable || failed.kind == error_kind::timeout;
}

http::client_settings client_settings_for(const store_settings& from) {
    http::client_settings out;
    out.base_url = from.endpoint_url;
    out.name = "objectstore";
    out.body_max = from.object_max_bytes;
    return out;
}

std::string unquoted(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        etag = etag.substr(1, etag.size() - 2);
    }
    return std::string(etag);
}

struct operation {
    std::string_view name; ///< metric label
    std::string method;
    std::string path;
    name_values headers;
    std::string body;
};

} // namespace

endpoint_parts split_endpoint(std::string_view url) {
    const bool secure = url.starts_with("https://");
    url.remove_prefix(std::min(url.size(), secure ? std::string_view("https://").size()
                                                  : std::string_view("http://").size()));
    const auto slash = url.find('/');
    endpoint_parts out{std::string(url.substr(0, slash)), {}};
    if (slash != std::string_view::npos) {
        out.path = url.substr(slash);
        while (out.path.ends_with('/')) {
            out.path.pop_back();
        }
    }
    const std::string_view usual_port = secure ? ":443" : ":80";
    if (out.host.ends_with(usual_port)) {
        out.host.resize(out.host.size() - usual_port.size());
    }
    return out;
}

struct store::impl {
    store_settings settings;
    endpoint_parts endpoint;
    const clock& time;
    metrics::registry& metrics;
    metrics::counter retries;
    http::client client;

    impl(store_settings given, const clock& when, asio::io_context& loop,
         metrics::registry& registry)
        : settings(std::move(given)), endpoint(split_endpoint(settings.endpoint_url)), time(when),
          metrics(registry),
          retries(registry.counter("s3_retries_total", "Requests to the object store sent again")),
          client(client_settings_for(settings), loop, registry) {}

    std::string path_of(const std::string& bucket, const std::string& key) const {
        return fmt::format("{}/{}/{}", endpoint.path, bucket, key);
    }

    void observe(std::string_view name, std::string_view code,
                 std::chrono::steady_clock::time_point start) {
        const std::chrono::duration<double> took = time.steady_now() - start;
        metrics
            .histogram("s3_request_duration_seconds", "Requests to the object store, each try",
                       metrics::request_seconds(),
                       {{"op", std::string(name)}, {"code", std::string(code)}})
            .observe(took.count());
    }

    http::client::call signed_call(const operation& what, std::chrono::milliseconds timeout);
    asio::awaitable<result<http::response>> try_once(const operation& what,
                                                     std::chrono::milliseconds timeout);
    asio::awaitable<result<http::response>> send(operation what);
};

/// Signed anew for every try, so that a long wait never sends a stale date.
http::client::call store::impl::signed_call(const operation& what,
                                            std::chrono::milliseconds timeout) {
    const timestamp now = time.now();
    const std::string hash = to_hex(sha256(as_bytes(what.body)));
    signing_request signing{what.method, endpoint.host, what.path, {}, what.headers};
    signing.headers.emplace_back("x-amz-date", amz_date(now));
    signing.headers.emplace_back("x-amz-content-sha256", hash);
    http::client::call call;
    call.method = what.method;
    call.target = encode_path(what.path);
    call.body = what.body;
    call.timeout = timeout;
    call.headers.set("Host", endpoint.host);
    call.headers.set("Authorization", authorization(signing, settings.credentials, now, hash));
    for (const auto& [name, value] : signing.headers) {
        call.headers.set(name, value);
    }
    return call;
}

asio::awaitable<result<http::response>> store::impl::try_once(const operation& what,
                                                              std::chrono::milliseconds timeout) {
    const auto start = time.steady_now();
    auto sending = client.send(signed_call(what, timeout));
    auto answer = co_await std::move(sending);
    if (!answer) {
        observe(what.name, "none", start);
        co_return std::unexpected(as_store_error(answer.error()));
    }
    observe(what.name, code_label(answer->status), start);
    const auto checked = check_answer(answer->status, what.method == "HEAD" ? "" : answer->body);
    if (!checked) {
        co_return fail(checked);
    }
    co_return answer;
}

asio::awaitable<result<http::response>> store::impl::send(operation what) {
    const async::backoff pause{std::chrono::milliseconds(50), std::chrono::milliseconds(1'000)};
    const auto until = time.steady_now() + settings.deadline;
    for (unsigned attempt = 1;; ++attempt) {
        const auto left = std::chrono::floor<std::chrono::milliseconds>(until - time.steady_now());
        auto trying = try_once(what, std::min(left, settings.attempt_timeout));
        auto answer = co_await std::move(trying);
        if (answer || !worth_another_try(answer.error()) || attempt == settings.attempts_max) {
            co_return answer;
        }
        const auto wait = pause.wait(attempt);
        if (time.steady_now() + wait >= until) {
            co_return answer;
        }
        retries.increment();
        co_await async::sleep_for(wait);
    }
}

store::store(store_settings settings, const clock& time, asio::io_context& loop,
             metrics::registry& metrics)
    : impl_(std::make_unique<impl>(std::move(settings), time, loop, metrics)) {}

store::~store() = default;

asio::awaitable<result<object_info>> store::head(std::string bucket, std::string key) {
    auto sending = impl_->send({"head", "HEAD", impl_->path_of(bucket, key), {}, {}});
    const auto answer = co_await std::move(sending);
    if (!answer) {
        co_return fail(answer);
    }
    object_info out;
    const std::string_view length = answer->headers.find("content-length").value_or("");
    const auto parsed =
        std::from_chars(length.data(), length.data() + length.size(), out.size_bytes);
    if (length.empty() || parsed.ec != std::errc() || parsed.ptr != length.data() + length.size()) {
        co_return fail(error_kind::internal, "objectstore-bad-answer", "HEAD without a length");
    }
    out.content_type = answer->headers.find("content-type").value_or("");
    out.etag = unquoted(answer->headers.find("etag").value_or(""));
    co_return out;
}

asio::awaitable<result<std::string>> store::get(std::string bucket, std::string key,
                                                std::uint64_t max_bytes) {
    auto sending = impl_->send({"get", "GET", impl_->path_of(bucket, key), {}, {}});
    auto answer = co_await std::move(sending);
    if (!answer) {
        co_return fail(answer);
    }
    if (answer->body.size() > max_bytes) {
        co_return fail(error_kind::too_large, "object-too-large",
                       fmt::format("more than {} bytes", max_bytes));
    }
    co_return std::move(answer->body);
}

asio::awaitable<result<void>> store::put(std::string bucket, std::string key, std::string body,
                                         std::string content_type, bool immutable) {
    name_values headers{{"content-type", std::move(content_type)}};
    if (immutable) {
        headers.emplace_back("cache-control", "public, max-age=31536000, immutable");
    }
    auto sending = impl_->send(
        {"put", "PUT", impl_->path_of(bucket, key), std::move(headers), std::move(body)});
    const auto answer = co_await std::move(sending);
    if (!answer) {
        co_return fail(answer);
    }
    co_return result<void>();
}

asio::awaitable<result<void>> store::remove(std::string bucket, std::string key) {
    auto sending = impl_->send({"remove", "DELETE", impl_->path_of(bucket, key), {}, {}});
    const auto answer = co_await std::move(sending);
    if (!answer && answer.error().kind != error_kind::not_found) {
        co_return fail(answer);
    }
    co_return result<void>();
}

} // namespace relais::objectstore
