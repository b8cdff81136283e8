#include "makers.hpp"

#include <fmt/format.h>
#include <vips/vips8>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// Makes pictures for tests, and says what is in one. A program of its own, so that libvips stays
// out of the test binaries:   make NAME > picture       inspect < picture

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The threads are libvips', which is not instrumented: there is nothing to learn here.
extern "C" const char* __tsan_default_options() {
    return "report_bugs=0";
}
#endif
#endif

namespace {

using vips::VImage;

std::string read_input() {
    std::string out;
    std::array<char, 65536> part{};
    std::size_t count = 0;
    while ((count = std::fread(part.data(), 1, part.size(), stdin)) > 0) {
        out.append(part.data(), count);
    }
    return out;
}

/// One line of name=value words.
void inspect(const std::string& bytes) {
    const VImage image = VImage::new_from_buffer(bytes.data(), bytes.size(), "");
    const auto corner = [&](int x, int y) {
        const std::vector<double> at = image.getpoint(x, y);
        return fmt::format("{:.0f},{:.0f},{:.0f}", at[0], at.size() > 1 ? at[1] : 0,
                           at.size() > 2 ? at[2] : 0);
    };
    fmt::print("loader={} width={} height={} bands={} exif={} icc={} xmp={} top_left={} "
               "top_right={} middle={}\n",
               image.get_string("vips-loader"), image.width(), image.height(), image.bands(),
               image.get_typeof(VIPS_META_EXIF_NAME) != 0,
               image.get_typeof(VIPS_META_ICC_NAME) != 0, image.get_typeof(VIPS_META_XMP_NAME) != 0,
               corner(2, 2), corner(image.width() - 3, 2),
               corner(image.width() / 2, image.height() / 2));
}

/// Runs the worker on our input and output; prints its peak of resident memory. From here because
/// the kernel counts the parent's memory at the moment of the fork as the child's.
int measure(const char* worker) {
    const pid_t child = fork();
    if (child == 0) {
        std::array<char*, 2> arguments{const_cast<char*>(worker), nullptr};
        std::array<char*, 1> environment{nullptr};
        execve(worker, arguments.data(), environment.data());
        _exit(127);
    }
    int status = 0;
    rusage used{};
    if (wait4(child, &status, 0, &used) != child) {
        return 1;
    }
    fmt::print(stderr, "status={} rss_kib={} cpu_ms={}\n", status, used.ru_maxrss,
               used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "measure") { // before libvips takes memory
        return measure(argv[2]);
    }
    if (VIPS_INIT(argv[0]) != 0) {
        return 1;
    }
    vips_concurrency_set(1);
    try {
        const std::string_view verb = argc > 1 ? argv[1] : "";
        if (verb == "inspect" && argc == 2) {
            inspect(read_input());
            return 0;
        }
        const auto found =
            relais::test::picture_makers().find(std::string_view(argc > 2 ? argv[2] : ""));
        if (verb == "make" && argc == 3 && found != relais::test::picture_makers().end()) {
            const std::string bytes = found->second();
            return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? 0 : 1;
        }
    } catch (const vips::VError& failed) {
        fmt::print(stderr, "{}\n", failed.what());
        return 1;
    }
    fmt::print(stderr, "make NAME | inspect | measure WORKER\n");
    return 2;
}
