#include "upload/worker/pictures.hpp"
#include "upload/worker/sandbox.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <malloc.h>
#include <string>
#include <string_view>
#include <unistd.h>

// Makes the variants of one picture and ends: started by relais-upload for every picture, never
// reused. It has no configuration: limits are fixed here, the recipe comes with the picture.

// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizers' names
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
// Sanitized builds: no leak check at exit (it needs system calls that are closed by then) and a
// small quarantine, so that tests can hold the process to a bound of memory.
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0:quarantine_size_mb=8";
}
#endif
#if __has_feature(thread_sanitizer)
// The threads are libvips', which is not instrumented: there is nothing to learn here.
extern "C" const char* __tsan_default_options() {
    return "report_bugs=0";
}
#endif
#endif
// NOLINTEND(bugprone-reserved-identifier)

namespace {

constexpr relais::upload::sandbox_limits limits{std::uint64_t{1024} * 1024 * 1024, 20};

bool read_all(std::string& out, std::size_t at_most) {
    std::string part(std::size_t{256} * 1024, '\0');
    while (true) {
        const ssize_t count = read(STDIN_FILENO, part.data(), part.size());
        if (count == 0) {
            return true;
        }
        if (count < 0 && errno != EINTR) {
            return false;
        }
        if (count > 0) {
            out.append(part, 0, static_cast<std::size_t>(count));
        }
        if (out.size() > at_most) {
            return false;
        }
    }
}

bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return true;
}

bool serve_one() {
    std::string bytes;
    if (!read_all(bytes, relais::upload::picture_max_bytes)) {
        return false;
    }
    const auto request = relais::upload::read_request(bytes);
    if (!request) {
        return false;
    }
    bytes.clear();
    bytes.shrink_to_fit();
    return write_all(write_answer(relais::upload::make_variants(*request)));
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view word = argc == 2 ? argv[1] : "";
    if (word == "--version") {
        fmt::print("relais-upload-worker {}\n", RELAIS_VERSION);
        return 0;
    }
    if (argc > 1) {
        const bool help = word == "--help" || word == "-h";
        fmt::print(help ? stdout : stderr,
                   "relais-upload-worker: makes the variants of one picture, standard input to "
                   "standard output; started by relais-upload\n");
        return help ? 0 : 2;
    }
    relais::upload::give_up_rights(limits);
    mallopt(M_ARENA_MAX, 1);
    try {
        relais::upload::start_pictures();
        relais::upload::close_system_calls();
        const bool done = serve_one();
        _exit(done ? 0 : 1); // nothing that libraries do at exit is worth a closed system call
    } catch (const std::exception&) {
        _exit(1);
    }
}
