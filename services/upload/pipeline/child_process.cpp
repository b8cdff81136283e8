#include "upload/pipeline/child_process.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;

namespace relais::upload {
namespace {

constexpr int buffer_bytes = 1024 * 1024; // a wish: fewer turns of the loop
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

auto not_started(std::string_view step, int code) {
    return fail(error_kind::unavailable, "picture-worker-not-started",
                fmt::format("{}: {}", step, std::strerror(code)));
}

auto crashed(std::string detail) {
    return fail(error_kind::internal, "picture-worker-crashed", std::move(detail));
}

/// A descriptor that is closed when nobody took it.
class owned_fd {
public:
    owned_fd() = default;

    ~owned_fd() {
        if (value_ >= 0) {
            close(value_);
        }
    }

    owned_fd(const owned_fd&) = delete;
    owned_fd& operator=(const owned_fd&) = delete;

    void reset(int value) {
        value_ = value;
    }

    int get() const {
        return value_;
    }

    int release() {
        return std::exchange(value_, -1);
    }

private:
    int value_ = -1;
};

struct two_ends {
    owned_fd read;
    owned_fd write;

    /// A socket for what we write: unlike on a pipe, a child that has died is an error there and
    /// not a SIGPIPE.
    bool open_towards_child() {
        std::array<int, 2> both{};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) != 0) {
            return false;
        }
        read.reset(both[0]);
        write.reset(both[1]);
        setsockopt(write.get(), SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
        return true;
    }

    bool open_from_child() {
        std::array<int, 2> both{};
        if (pipe2(both.data(), O_CLOEXEC) != 0) {
            return false;
        }
        read.reset(both[0]);
        write.reset(both[1]);
        return true;
    }
};

struct spawn_plan {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;

    spawn_plan() {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
    }

    ~spawn_plan() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }

    spawn_plan(const spawn_plan&) = delete;
    spawn_plan& operator=(const spawn_plan&) = delete;
};

/// Returns errno.
int start(const std::string& executable, int input, int output, pid_t& pid) {
    spawn_plan plan;
    posix_spawn_file_actions_adddup2(&plan.files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&plan.files, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&plan.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&plan.files, STDERR_FILENO + 1);
    sigset_t none{};
    sigemptyset(&none);
    sigset_t usual{};
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE); // we ignore it; ignored signals stay ignored over exec
    posix_spawnattr_setsigmask(&plan.attributes, &none);
    posix_spawnattr_setsigdefault(&plan.attributes, &usual);
    posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = executable;
    std::array<char*, 2> arguments{name.data(), nullptr};
    std::array<char*, 1> environment{nullptr};
    return posix_spawn(&pid, executable.c_str(), &plan.files, &plan.attributes, arguments.data(),
                       environment.data());
}

} // namespace

struct child_process::impl {
    pid_t pid = -1;
    std::uint64_t peak_memory_bytes = 0;
    asio::local::stream_protocol::socket input;
    asio::posix::stream_descriptor output;
    asio::posix::stream_descriptor handle; // pidfd: readable when the child has ended

    explicit impl(asio::io_context& loop) : input(loop), output(loop), handle(loop) {}

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    ~impl() {
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0); // a killed process ends at once
        }
    }

    asio::awaitable<result<void>> reap();
};

asio::awaitable<result<void>> child_process::impl::reap() {
    auto ended = handle.async_wait(asio::posix::stream_descriptor::wait_read, as_tuple);
    const auto [failed] = co_await std::move(ended);
    if (failed) {
        co_return crashed(failed.message());
    }
    int status = 0;
    rusage used{};
    wait4(std::exchange(pid, -1), &status, 0, &used);
    peak_memory_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    if (WIFSIGNALED(status)) {
        co_return crashed(fmt::format("signal {}", WTERMSIG(status)));
    }
    if (WEXITSTATUS(status) != 0) {
        co_return crashed(fmt::format("exit code {}", WEXITSTATUS(status)));
    }
    co_return result<void>();
}

child_process::child_process(std::unique_ptr<impl> state) : impl_(std::move(state)) {}

child_process::~child_process() = default;
child_process::child_process(child_process&&) noexcept = default;
child_process& child_process::operator=(child_process&&) noexcept = default;

result<child_process> child_process::spawn(const std::string& executable, asio::io_context& loop) {
    auto state = std::make_unique<impl>(loop);
    two_ends input;
    two_ends output;
    if (!input.open_towards_child() || !output.open_from_child()) {
        return not_started("pipe", errno);
    }
    const int code = start(executable, input.read.get(), output.write.get(), state->pid);
    if (code != 0) {
        state->pid = -1;
        return not_started(executable, code);
    }
    // glibc 2.36 declares pidfd_open() without C linkage.
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, state->pid, 0));
    if (handle < 0) {
        return not_started("pidfd_open", errno);
    }
    state->handle.assign(handle);
    state->input.assign(asio::local::stream_protocol(), input.write.release());
    state->output.assign(output.read.release());
    return child_process(std::move(state));
}

asio::awaitable<result<std::string>> child_process::exchange(std::string input,
                                                             std::size_t answer_max) {
    auto writing = asio::async_write(impl_->input, asio::buffer(input), as_tuple);
    const auto [write_failed, written] = co_await std::move(writing);
    impl_->input.close();
    if (write_failed == asio::error::operation_aborted) {
        co_return crashed("cancelled");
    }
    // After any other write error its exit status says more than the broken pipe.
    std::string answer;
    auto reading = asio::async_read(impl_->output, asio::dynamic_buffer(answer, answer_max + 1),
                                    asio::transfer_all(), as_tuple);
    const auto [read_failed, read] = co_await std::move(reading);
    if (read_failed != asio::error::eof) {
        co_return crashed(read > answer_max ? "answers without end" : read_failed.message());
    }
    auto reaping = impl_->reap();
    const auto reaped = co_await std::move(reaping);
    if (!reaped) {
        co_return fail(reaped);
    }
    if (write_failed) {
        co_return crashed("did not read its work");
    }
    co_return answer;
}

bool child_process::alive() const {
    siginfo_t about{};
    const bool asked =
        waitid(P_PID, static_cast<id_t>(impl_->pid), &about, WEXITED | WNOHANG | WNOWAIT) == 0;
    return asked && about.si_pid == 0;
}

int child_process::pid() const {
    return impl_->pid;
}

std::uint64_t child_process::peak_memory_bytes() const {
    return impl_->peak_memory_bytes;
}

} // namespace relais::upload
