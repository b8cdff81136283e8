#include "log/line_writer.hpp"
#include "log/logger.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

using namespace relais;
using namespace std::chrono_literals;

namespace {

/// A pipe with room for one page; both ends close with this object.
struct small_pipe {
    std::array<int, 2> ends{};

    small_pipe() {
        REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
        REQUIRE(fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
    }

    ~small_pipe() {
        close(ends[0]);
        close(ends[1]);
    }

    small_pipe(const small_pipe&) = delete;
    small_pipe& operator=(const small_pipe&) = delete;

    std::string read_some() const {
        std::string out(65536, '\0');
        const auto count = read(ends[0], out.data(), out.size());
        out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return out;
    }
};

struct full_disc {
    int descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC);

    full_disc() {
        REQUIRE(descriptor >= 0);
    }

    ~full_disc() {
        close(descriptor);
    }

    full_disc(const full_disc&) = delete;
    full_disc& operator=(const full_disc&) = delete;
};

} // namespace

TEST_CASE("a line that a full disc does not take is lost and counted", "[log]") {
    const full_disc disc;
    log::line_writer writer(disc.descriptor);
    CHECK_FALSE(writer.write("one\n"));
    CHECK_FALSE(writer.write("two\n"));
    CHECK(writer.lost() == 2);
}

TEST_CASE("a reader that stopped reading costs the patience once", "[log]") {
    const small_pipe pipe;
    log::line_writer writer(pipe.ends[1], 200ms);
    const std::string page(4096, 'x');
    REQUIRE(writer.write(page));
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(writer.write("lost\n"));
    }
    CHECK(std::chrono::steady_clock::now() - begin < 2s);
    CHECK(writer.lost() == 100);
    CHECK(pipe.read_some() == page);
    CHECK(writer.write("back\n"));
    CHECK(pipe.read_some() == "back\n");
}

TEST_CASE("a line after a torn one begins on a line of its own", "[log]") {
    const small_pipe pipe;
    log::line_writer writer(pipe.ends[1], 50ms);
    const std::string longer(6000, 'y');
    CHECK_FALSE(writer.write(longer)); // its first page only
    CHECK(pipe.read_some() == longer.substr(0, 4096));
    CHECK(writer.write("whole\n"));
    CHECK(pipe.read_some() == "\nwhole\n");
    CHECK(writer.write("next\n"));
    CHECK(pipe.read_some() == "next\n");
}

TEST_CASE("a logger on a full disc goes on, counts, and ends", "[log]") {
    const full_disc disc;
    const log::logger logger("test", "test-1", log::level::info, disc.descriptor);
    for (int i = 0; i < 3; ++i) {
        logger.info("something.happened", {{"number", i}});
    }
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (logger.dropped() < 3 && std::chrono::steady_clock::now() < limit) {
        std::this_thread::yield();
    }
    CHECK(logger.dropped() == 3);
}
