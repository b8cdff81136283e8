#include "http/client_connection.hpp"

#include "http/body_decoder.hpp"
#include "http/target.hpp"
#include "http/tokens.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace relais::http {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = std::size_t{16} * 1024;

using message = beast::http::request<beast::http::string_body>;

message to_beast(const client::call& what, const origin& to) {
    message out;
    out.version(11);
    out.method_string(what.method);
    out.target(to.path + what.target);
    out.set(beast::http::field::host, to.authority);
    for (const auto& [name, value] : what.headers.all()) {
        if (equal_names(name, "host")) {
            out.set(beast::http::field::host, value);
        } else {
            out.insert(name, value);
        }
    }
    if (!what.body.empty() || (what.method != "GET" && what.method != "HEAD")) {
        out.content_length(what.body.size());
    }
    out.body() = what.body;
    return out;
}

} // namespace

client_connection::client_connection(asio::io_context& loop, deadline_watch& deadlines,
                                     std::size_t body_max)
    : socket_(loop), buffer_(gate_limits{}.head_bytes_max + read_bytes), body_max_(body_max),
      deadline_(deadlines, [this] {
          error_code ignored;
          socket_.close(ignored); // also ends a connect and a handshake
      }) {}

std::string_view client_connection::buffered() const {
    const auto bytes = buffer_.data();
    return {static_cast<const char*>(bytes.data()), bytes.size()};
}

error client_connection::broken(const error_code& why) const {
    if (deadline_.expired()) {
        return error{error_kind::timeout, "timeout", "no answer in time", "", std::nullopt};
    }
    return error{error_kind::unavailable, "unreachable", why.message(), "", std::nullopt};
}

asio::awaitable<result<std::vector<tcp::endpoint>>>
client_connection::addresses_of(const origin& to) {
    std::vector<tcp::endpoint> out;
    error_code not_numeric;
    const auto address = asio::ip::make_address(to.host, not_numeric);
    if (!not_numeric) {
        out.emplace_back(address, static_cast<std::uint16_t>(std::stoi(to.port)));
        co_return out;
    }
    tcp::resolver resolver(socket_.get_executor());
    const auto [failed, found] = co_await resolver.async_resolve(to.host, to.port, use_tuple);
    if (failed) {
        co_return std::unexpected(broken(failed));
    }
    for (const auto& each : found) {
        out.push_back(each.endpoint());
    }
    co_return out;
}

asio::awaitable<result<void>> client_connection::open(const origin& to, asio::ssl::context& tls,
                                                      deadline_watch::time_point until) {
    deadline_.set(until);
    auto resolving = addresses_of(to);
    const auto addresses = co_await std::move(resolving);
    if (!addresses) {
        co_return fail(addresses);
    }
    const auto [failed, connected] = co_await asio::async_connect(socket_, *addresses, use_tuple);
    if (failed) {
        co_return std::unexpected(broken(failed));
    }
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    if (to.encrypted) {
        tls_.emplace(socket_, tls);
        SSL_set_tlsext_host_name(tls_->native_handle(), to.host.c_str());
        tls_->set_verify_callback(asio::ssl::host_name_verification(to.host));
        const auto [refused] =
            co_await tls_->async_handshake(asio::ssl::stream_base::client, use_tuple);
        if (refused) {
            co_return std::unexpected(broken(refused));
        }
    }
    deadline_.clear();
    co_return result<void>();
}

asio::awaitable<client_connection::outcome> client_connection::write(const client::call& what,
                                                                     const origin& to) {
    message out = to_beast(what, to);
    if (tls_) {
        const auto [failed, count] = co_await beast::http::async_write(*tls_, out, use_tuple);
        co_return outcome{failed, count};
    }
    const auto [failed, count] = co_await beast::http::async_write(socket_, out, use_tuple);
    co_return outcome{failed, count};
}

asio::awaitable<result<void>> client_connection::read_more() {
    const auto space = std::min(read_bytes, buffer_.max_size() - buffer_.size());
    const auto target = buffer_.prepare(space);
    outcome done;
    if (tls_) {
        const auto [failed, count] = co_await tls_->async_read_some(target, use_tuple);
        done = outcome{failed, count};
    } else {
        const auto [failed, count] = co_await socket_.async_read_some(target, use_tuple);
        done = outcome{failed, count};
    }
    buffer_.commit(done.count);
    answer_began_ = answer_began_ || done.count > 0;
    ended_ = done.failed == asio::error::eof;
    if (done.failed) {
        co_return std::unexpected(broken(done.failed));
    }
    co_return result<void>();
}

/// The bytes of the final answer's head, which stay in the buffer: the head points into it.
asio::awaitable<result<std::size_t>> client_connection::read_head(std::string_view method,
                                                                  response_head& head) {
    while (true) {
        const auto used = parse_response_head(buffered(), {}, method, head);
        if (!used) {
            co_return fail(error_kind::internal, "bad-answer", used.error().detail);
        }
        if (*used > 0 && head.status >= 200) {
            co_return *used;
        }
        buffer_.consume(*used); // an interim answer, or nothing yet
        if (*used == 0) {
            auto reading = read_more();
            const result<void> more = co_await std::move(reading);
            if (!more) {
                co_return fail(more);
            }
        }
    }
}

asio::awaitable<result<void>> client_connection::read_body(const response_head& head,
                                                           std::string& body) {
    body_decoder decoder(head.framing, head.body_bytes);
    while (!decoder.finished()) {
        if (buffer_.size() == 0) {
            auto reading = read_more();
            const result<void> more = co_await std::move(reading);
            if (!more && ended_ && decoder.ends_with_connection()) {
                break;
            }
            if (!more) {
                co_return more;
            }
        }
        const auto step = decoder.feed(buffered());
        if (!step) {
            co_return fail(error_kind::internal, "bad-answer", step.error().detail);
        }
        if (body.size() + step->data.size() > body_max_) {
            co_return fail(error_kind::too_large, "answer-too-large",
                           "more than " + std::to_string(body_max_) + " bytes");
        }
        body.append(step->data);
        buffer_.consume(step->consumed);
    }
    co_return result<void>();
}

asio::awaitable<result<response>> client_connection::exchange(const client::call& what,
                                                              const origin& to,
                                                              deadline_watch::time_point until) {
    reusable_ = false;
    answer_began_ = false;
    ended_ = false;
    deadline_.set(until);
    auto writing = write(what, to);
    const outcome written = co_await std::move(writing);
    // A server may answer and close before it has read everything: look for the answer either way.
    response_head head;
    auto waiting = read_head(what.method, head);
    const result<std::size_t> begun = co_await std::move(waiting);
    if (!begun) {
        co_return fail(begun);
    }
    response answer;
    answer.status = head.status;
    for (const auto& field : head.fields) {
        answer.headers.add(std::string(field.name), std::string(field.value));
    }
    buffer_.consume(*begun);
    auto reading = read_body(head, answer.body);
    const result<void> whole = co_await std::move(reading);
    if (!whole) {
        co_return fail(whole);
    }
    deadline_.clear();
    // Bytes behind the answer belong to no request of ours: such a connection is not used again.
    reusable_ = head.keep_alive && !written.failed && buffer_.size() == 0;
    co_return answer;
}

bool client_connection::is_quiet() {
    char byte = 0;
    const auto count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace relais::http
