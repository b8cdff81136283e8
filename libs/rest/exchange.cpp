// The only file that sees cpprestsdk.
#include "rest/exchange.hpp"

#include "rest/outcome.hpp"

#include <memory>

namespace web::json::details {
class _Value; // NOLINT(bugprone-reserved-identifier): cpprestsdk's name
}

// For json.h of Debian 13 in C++23: there std::unique_ptr's destructor is constexpr, so it is
// instantiated where _Value is still incomplete. A deleter that is defined below does not look.
template <>
struct std::default_delete<web::json::details::_Value> {
    default_delete() = default;

    template <class Derived>
    default_delete(const std::default_delete<Derived>& /*other*/) noexcept {}

    void operator()(web::json::details::_Value* owned) const;
};

#include <cpprest/http_client.h>

#include <exception>
#include <pplx/threadpool.h>

void std::default_delete<web::json::details::_Value>::operator()(
    web::json::details::_Value* owned) const {
    delete owned;
}

namespace relais::rest {
namespace {

namespace http = web::http;

/// The library's thread pool belongs to the process, not to a client: 40 threads unless it is told
/// otherwise before its first use, and telling it twice throws.
void start_library_once() {
    static std::once_flag started;
    std::call_once(started, [] { crossplat::threadpool::initialize_with_threads(2); });
}

/// What the library's threads tell about an exchange while it runs.
struct progress {
    std::atomic<bool> head_written{false};
    std::atomic<bool> answer_too_large{false};
};

http::http_request make_request(const call& what, std::size_t answer_max,
                                const std::shared_ptr<progress>& seen) {
    http::http_request request(what.method);
    request.set_request_uri(web::uri(what.target));
    for (const auto& [name, value] : what.headers) {
        request.headers().add(name, value);
    }
    // The library appends its own "Keep-Alive"; together they mean close (RFC 9112 §9.6).
    request.headers().add("Connection", "close");
    if (!what.body.empty()) {
        request.set_body(what.body, what.content_type);
    }
    request.set_progress_handler(
        [seen, answer_max](http::message_direction::direction way, utility::size64_t bytes) {
            if (way == http::message_direction::upload) {
                seen->head_written = true; // first called when the head is out, with 0
            } else if (bytes > answer_max) {
                seen->answer_too_large = true;
                throw http::http_exception("answer too large"); // ends the exchange
            }
        });
    return request;
}

http::client::http_client_config make_config(const call& what) {
    http::client::http_client_config config;
    config.set_timeout(what.timeout);
    config.set_max_redirects(0); // following one would send the request again
    config.set_ssl_context_callback([](boost::asio::ssl::context& tls) {
        tls.set_options(boost::asio::ssl::context::no_tlsv1 |
                        boost::asio::ssl::context::no_tlsv1_1);
    });
    return config;
}

answer receive(http::http_response response) {
    answer out;
    out.status = response.status_code();
    for (const auto& [name, value] : response.headers()) {
        out.headers.emplace_back(name, value);
    }
    const auto bytes = response.extract_vector().get();
    out.body.assign(bytes.begin(), bytes.end());
    return out;
}

} // namespace

std::expected<answer, no_answer> exchange(const client_settings& settings, const call& what,
                                          time_limit& limit) {
    const auto seen = std::make_shared<progress>(); // shared with the library's threads
    broken_call broken;
    try {
        start_library_once();
        // A client of its own has a pool of its own, with no connection in it: the library resends
        // a request, POST too, when a connection that it reuses breaks before the status line.
        http::client::http_client client(web::uri(settings.base_url), make_config(what));
        const pplx::cancellation_token_source stop;
        limit.on_expiry([stop] { stop.cancel(); });
        auto request = make_request(what, settings.answer_max, seen);
        auto out = receive(client.request(request, stop.get_token()).get());
        limit.on_expiry({});
        return out;
    } catch (const web::uri_exception& thrown) {
        limit.on_expiry({});
        return std::unexpected(no_answer{
            true,
            error{error_kind::invalid, settings.name + "-bad-request", thrown.what(), "", {}}});
    } catch (const http::http_exception& thrown) {
        broken.time_is_up = thrown.error_code() == std::errc::timed_out;
        broken.what = thrown.what();
    } catch (const std::exception& thrown) {
        broken.what = thrown.what();
    }
    limit.on_expiry({});
    broken.time_is_up = broken.time_is_up || limit.expired();
    broken.head_written = seen->head_written;
    broken.answer_too_large = seen->answer_too_large;
    return std::unexpected(classify(broken, settings.name));
}

} // namespace relais::rest
