#include "host/takeover.hpp"

#include "host/takeover_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace asio = boost::asio;

namespace relais::host {
namespace {

constexpr std::string_view take = "take";
constexpr std::string_view go = "go";
constexpr std::string_view gone = "gone";
/// Between names in a message.
constexpr char separator = '\n';
constexpr std::chrono::seconds answer_within{3};
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::vector<std::string> names_in(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = text.find(separator);
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

} // namespace

takeover_request::takeover_request(int descriptor, std::size_t sockets)
    : descriptor_(descriptor), sockets_(sockets) {}

takeover_request::takeover_request(takeover_request&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), sockets_(other.sockets_) {}

takeover_request& takeover_request::operator=(takeover_request&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    sockets_ = other.sockets_;
    return *this;
}

takeover_request::~takeover_request() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

result<std::optional<takeover_request>> takeover_request::begin(const std::string& path,
                                                                http::socket_shelf& into) {
    const auto connected = connect_to(path);
    if (!connected) {
        return fail(connected);
    }
    if (*connected < 0) {
        return std::optional<takeover_request>();
    }
    takeover_request made(*connected, 0);
    limit_waiting(*connected, answer_within);
    const auto refused = fail(error_kind::unavailable, "takeover-refused",
                              path + ": the process there did not give its sockets away");
    if (!is_own_user(*connected) || !send_message(*connected, take)) {
        return refused;
    }
    const auto given = receive_message(*connected);
    const auto names = names_in(given.text);
    for (std::size_t i = 0; i < given.descriptors.size(); ++i) {
        into.put(i < names.size() ? names[i] : std::string(), given.descriptors[i]);
    }
    if (names.empty() || names.size() != given.descriptors.size()) {
        into.clear();
        return refused;
    }
    made.sockets_ = names.size();
    return std::optional(std::move(made));
}

result<void> takeover_request::finish() {
    if (send_message(descriptor_, go) && receive_message(descriptor_).text == gone) {
        return {};
    }
    return fail(error_kind::unavailable, "takeover-failed", "the process before this one stays");
}

takeover_server::takeover_server(asio::io_context& loop, http::socket_shelf& sockets,
                                 log::logger logger, std::function<void()> on_taken)
    : loop_(loop), sockets_(sockets), logger_(std::move(logger)), on_taken_(std::move(on_taken)),
      listening_(loop) {}

result<void> takeover_server::open(const std::string& path) {
    const auto made = listen_at(path);
    if (!made) {
        return fail(made);
    }
    listening_.assign(*made);
    return {};
}

asio::awaitable<void> takeover_server::run() {
    bool taken = false;
    while (!taken && listening_.is_open()) {
        const auto [failed] =
            co_await listening_.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
        if (failed) {
            break;
        }
        const int connection =
            ::accept4(listening_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection >= 0) {
            taken = co_await serve(connection);
        }
    }
    close();
    if (taken) {
        on_taken_();
    }
}

/// True when it has taken over. Until it says so, it may end without anything having happened.
asio::awaitable<bool> takeover_server::serve(int connection) {
    asio::posix::stream_descriptor peer(loop_, connection);
    if (!is_own_user(connection)) {
        logger_.warn("takeover.refused", {{"detail", "another user's process asked"}});
        co_return false;
    }
    for (const auto expected : {take, go}) {
        const auto [failed] =
            co_await peer.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
        const auto said = failed ? socket_message() : receive_message(connection);
        for (const int each : said.descriptors) {
            ::close(each);
        }
        if (said.text != expected) {
            logger_.warn("takeover.given_up", {{"waited_for", expected}});
            co_return false;
        }
        if (expected == take && !give(connection)) {
            co_return false;
        }
    }
    sockets_.note_given_away();
    send_message(connection, gone);
    logger_.info("takeover.given", {{"sockets", sockets_.open().size()}});
    co_return true;
}

bool takeover_server::give(int connection) {
    std::vector<std::string> names;
    std::vector<int> descriptors;
    for (const auto& [name, descriptor] : sockets_.open()) {
        names.push_back(name);
        descriptors.push_back(descriptor);
    }
    const auto text = fmt::format("{}", fmt::join(names, std::string(1, separator)));
    const bool sent = !names.empty() && send_message(connection, text, descriptors);
    logger_.info(sent ? "takeover.offered" : "takeover.failed", {{"sockets", names.size()}});
    return sent;
}

void takeover_server::close() {
    boost::system::error_code ignored;
    listening_.close(ignored);
}

} // namespace relais::host
