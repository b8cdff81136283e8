#include "host/health.hpp"

#include "http/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace asio = boost::asio;

namespace relais::host {

std::string own_url(const config::endpoint& listen) {
    auto host = listen.host;
    if (host == "0.0.0.0") {
        host = "127.0.0.1";
    } else if (host == "::" || host == "[::]") {
        host = "[::1]";
    }
    return fmt::format("http://{}:{}", host, listen.port);
}

int ask_admin(const config::endpoint& listen, std::string_view path) {
    asio::io_context loop(1);
    metrics::registry metrics;
    http::client_settings settings;
    settings.base_url = own_url(listen);
    settings.name = "admin";
    settings.connections_max = 1;
    http::client client(settings, loop, metrics);
    http::client::call call;
    call.target = path;
    call.timeout = std::chrono::seconds(3);
    result<http::response> answer = fail(error_kind::internal, "not-asked");
    asio::co_spawn(loop, client.send(std::move(call)),
                   [&](const std::exception_ptr& thrown, result<http::response> got) {
                       if (thrown) {
                           std::rethrow_exception(thrown);
                       }
                       answer = std::move(got);
                       loop.stop(); // the pool's timers would keep it alive
                   });
    loop.run();
    if (answer && answer->status == 200) {
        return 0;
    }
    fmt::print(stderr, "{}{}: {}\n", settings.base_url, path,
               answer ? fmt::format("{} {}", answer->status, answer->body) : answer.error().slug);
    return 1;
}

} // namespace relais::host
