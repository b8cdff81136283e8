#include "support/gateway_process.hpp"

#include "config/reader.hpp"
#include "support/environment.hpp"
#include "support/raw_client.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace relais::test {
namespace {

using steady = std::chrono::steady_clock;

// RFC 8032 §7.1, test 1.
constexpr const char* private_key = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
constexpr const char* public_key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// All of them are different, which asking one after the other would not promise.
std::array<std::uint16_t, 3> free_ports() {
    std::array<std::uint16_t, 3> ports{};
    std::array<int, 3> held{};
    for (std::size_t i = 0; i < ports.size(); ++i) {
        held[i] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        if (::bind(held[i], raw, size) != 0 || ::getsockname(held[i], raw, &size) != 0) {
            throw std::runtime_error("no free port");
        }
        ports[i] = ntohs(address.sin_port);
    }
    for (const int each : held) {
        ::close(each);
    }
    return ports;
}

std::string read_file(const std::string& path) {
    const std::ifstream file(path);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

/// Asks again and again, every ten milliseconds, for at most so long.
template <class Condition>
bool wait_until(Condition holds, std::chrono::seconds at_most) {
    const auto until = steady::now() + at_most;
    while (!holds()) {
        if (steady::now() > until) {
            return false;
        }
        ::poll(nullptr, 0, 10);
    }
    return true;
}

pid_t spawn(const std::string& program, const std::map<std::string, std::string>& variables,
            const std::string& log) {
    std::vector<std::string> pairs;
    for (const auto& [name, value] : variables) {
        pairs.push_back(name + "=" + value);
    }
    std::vector<char*> environment;
    for (auto& pair : pairs) {
        environment.push_back(pair.data());
    }
    environment.push_back(nullptr);
    std::string name = program;
    std::vector<char*> arguments{name.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::runtime_error("cannot start " + program);
    }
    return child;
}

} // namespace

gateway_process::gateway_process(const std::string& routes,
                                 std::map<std::string, std::string> variables)
    : routes_(routes), variables_(std::move(variables)) {
    // Between choosing a port and listening there, somebody else may have taken it.
    constexpr int attempts = 3;
    for (int i = 1;; ++i) {
        const auto ports = free_ports();
        port_ = ports[0];
        h2c_port_ = ports[1];
        admin_port_ = ports[2];
        start(routes_);
        const auto is_taken = [this] {
            return log().find("listen-failed") != std::string::npos;
        };
        wait_until([&] { return is_taken() || is_ready(); }, std::chrono::seconds(20));
        if (!is_taken() && is_ready()) {
            return;
        }
        const std::string said = log();
        const bool again = i < attempts && is_taken();
        end();
        if (!again) {
            throw std::runtime_error("relais-gateway is not ready: " + said);
        }
    }
}

gateway_process::gateway_process(const gateway_process* before)
    : routes_(before->routes_), variables_(before->variables_), port_(before->port_),
      h2c_port_(before->h2c_port_), admin_port_(before->admin_port_) {
    start(routes_);
    const auto has_said = [this](const char* event) {
        return log().find(event) != std::string::npos;
    };
    wait_until([&] { return has_said("service.ready") || has_said("takeover.failed"); },
               std::chrono::seconds(30));
    if (!has_said("service.ready")) {
        const std::string said = log();
        end();
        throw std::runtime_error("relais-gateway has not taken over: " + said);
    }
}

std::unique_ptr<gateway_process> gateway_process::start_successor() const {
    return std::unique_ptr<gateway_process>(new gateway_process(this));
}

void gateway_process::start(const std::string& routes) {
    std::string folder =
        (std::filesystem::temp_directory_path() / "relais-gateway-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    folder_ = folder;
    std::ofstream(folder_ + "/routes.textproto") << routes;
    auto all = config::process_environment();
    all["RELAIS_LISTEN"] = fmt::format("127.0.0.1:{}", port_);
    all["RELAIS_LISTEN_H2C"] = fmt::format("127.0.0.1:{}", h2c_port_);
    all["RELAIS_ADMIN_LISTEN"] = fmt::format("127.0.0.1:{}", admin_port_);
    all["RELAIS_ROUTES_FILE"] = folder_ + "/routes.textproto";
    all["RELAIS_IDENTITY_PRIVATE_KEY"] = private_key;
    all["RELAIS_KAFKA_BROKERS"] = "127.0.0.1:1"; // away, unless the test says otherwise
    all["RELAIS_INSTANCE"] = "gateway-under-test";
    all["RELAIS_BANS_WAIT"] = "0";
    // Freed memory that ASan keeps aside would look like memory in use.
    all["ASAN_OPTIONS"] = "quarantine_size_mb=1:detect_leaks=0";
    for (const auto& [name, value] : variables_) {
        all[name] = value;
    }
    const std::map<std::string, std::string> environment(all.begin(), all.end());
    child_ = spawn(build_dir() + "/bin/relais-gateway", environment, folder_ + "/log");
}

gateway_process::~gateway_process() {
    end();
}

void gateway_process::end() const {
    if (child_ > 0) {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

bool gateway_process::is_ready() const {
    try {
        return admin("/readyz").starts_with("HTTP/1.1 200");
    } catch (const std::runtime_error&) {
        return false; // not listening yet
    }
}

std::string gateway_process::admin(const std::string& path) const {
    raw_client client(admin_port_);
    client.send(request_text("GET", path));
    return client.read_answer();
}

std::string gateway_process::log() const {
    return read_file(folder_ + "/log");
}

bool gateway_process::wait_for_log(const std::string& text) const {
    return wait_until([&] { return log().find(text) != std::string::npos; },
                      std::chrono::seconds(10));
}

std::size_t gateway_process::peak_memory_bytes() const {
    const auto status = read_file(fmt::format("/proc/{}/status", child_));
    const auto line = status.find("VmHWM:");
    return line == std::string::npos ? 0 : std::stoul(status.substr(line + 6)) * 1024;
}

void gateway_process::replace_routes(const std::string& routes) const {
    std::ofstream(folder_ + "/routes.new") << routes;
    std::filesystem::rename(folder_ + "/routes.new", folder_ + "/routes.textproto");
}

void gateway_process::hang_up() const {
    ::kill(child_, SIGHUP);
}

void gateway_process::terminate() const {
    ::kill(child_, SIGTERM);
}

int gateway_process::wait() {
    int status = 0;
    const bool ended = wait_until([&] { return ::waitpid(child_, &status, WNOHANG) == child_; },
                                  std::chrono::seconds(30));
    if (!ended) {
        return -1;
    }
    child_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string gateway_process::identity_public_key() {
    return public_key;
}

std::string routes_for(std::uint16_t web_api, std::uint16_t odd) {
    std::string text = fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 10000 body_max_bytes: 200000000 }}
route {{ prefix: "/v1/echo/small" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 10000 body_max_bytes: 1000 }}
route {{ prefix: "/webhooks" upstream: "web-api" method: "POST" credentials: CREDENTIALS_FORWARD
        deadline_ms: 10000 body_max_bytes: 1000 }}
)",
                                   web_api);
    if (odd != 0) {
        // The ports are whatever was free, so the way from one to the other may wrap around.
        const auto offset = static_cast<std::uint16_t>(web_api - odd);
        text += fmt::format(R"(
upstream {{ name: "odd" url_variable: "RELAIS_ODD_URL" default_url: "http://127.0.0.1:{}"
           admin_port_offset: {} }}
route {{ prefix: "/odd" upstream: "odd" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 700 body_max_bytes: 200000000 }}
route {{ prefix: "/odd/ws" upstream: "odd" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 700 body_max_bytes: 1000 upgrade: "websocket" }}
route {{ prefix: "/odd/hook" upstream: "odd" credentials: CREDENTIALS_FORWARD
        deadline_ms: 700 body_max_bytes: 1000 failures_as_429: true }}
)",
                            odd, offset);
    }
    return text;
}

std::string request_text(const std::string& method, const std::string& target,
                         const std::string& fields, const std::string& body) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: shop.example\r\n" + fields;
    if (!body.empty()) {
        text += fmt::format("Content-Length: {}\r\n", body.size());
    }
    return text + "\r\n" + body;
}

} // namespace relais::test
