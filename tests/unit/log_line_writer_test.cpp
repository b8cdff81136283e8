#include "log/line_writer.hpp"
#include "log/logger.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <termios.h>
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

namespace {

std::string ten_lines() {
    std::string block;
    for (char digit = '0'; digit <= '9'; ++digit) {
        block += std::string(999, digit) + '\n';
    }
    return block;
}

/// A terminal: the kernel has no way to write to it what there is room for. Closes with this.
struct terminal {
    int outer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int inner = -1;

    terminal() {
        REQUIRE(grantpt(outer) == 0);
        REQUIRE(unlockpt(outer) == 0);
        std::array<char, 64> name{};
        REQUIRE(ptsname_r(outer, name.data(), name.size()) == 0);
        inner = open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        termios how{};
        REQUIRE(tcgetattr(inner, &how) == 0);
        cfmakeraw(&how);
        REQUIRE(tcsetattr(inner, TCSANOW, &how) == 0);
    }

    ~terminal() {
        close(inner);
        close(outer);
    }

    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;
};

} // namespace

TEST_CASE("of a block as much is written as there is room for", "[log]") {
    const small_pipe pipe;
    log::line_writer writer(pipe.ends[1]);
    const std::string block = ten_lines();
    std::string_view left = block;
    std::string read;
    while (read.size() < block.size()) {
        const auto written = writer.write_lines(left, 0ms);
        REQUIRE((written > 0 || left.empty()));
        left.remove_prefix(written);
        CHECK((left.empty() || writer.write_lines(left, 1ms) == 0));
        read += pipe.read_some();
    }
    CHECK(read == block);
    CHECK(writer.lost() == 0);
}

TEST_CASE("a line that a block left half written is finished before another begins", "[log]") {
    const small_pipe pipe;
    log::line_writer writer(pipe.ends[1], 10ms);
    const std::string block = std::string(6'000, 'x') + "\nnext\n";
    const auto written = writer.write_lines(block, 0ms);
    REQUIRE(written == 4'096);
    CHECK_FALSE(writer.write("lost, because there is no room\n"));
    const auto left = std::string_view(block).substr(written);
    REQUIRE(pipe.read_some().size() == written);
    const std::string end = std::string(6'000 - written, 'x') + '\n';
    SECTION("by a logger's line; the block goes on behind it") {
        CHECK_FALSE(writer.write("lost, the end took all the room\n"));
        CHECK(pipe.read_some() == end);
        CHECK(writer.write("between\n"));
        CHECK(pipe.read_some() == "between\n");
        CHECK(writer.write_lines(left, 0ms) == left.size());
        CHECK(pipe.read_some() == "next\n");
    }
    SECTION("by the block itself") {
        CHECK(writer.write_lines(left, 0ms) == left.size());
        CHECK(pipe.read_some() == end + "next\n");
        CHECK(writer.write("behind\n"));
        CHECK(pipe.read_some() == "behind\n");
    }
    SECTION("by another block, when the rest was given up") {
        CHECK(writer.write_lines("other\n", 0ms) == 6);
        CHECK(pipe.read_some() == end + "other\n");
    }
}

TEST_CASE("where a write may block, blocks are written in pieces", "[log]") {
    const terminal screen;
    log::line_writer writer(screen.inner);
    const std::string block = ten_lines();
    std::jthread writing([&] {
        std::string_view left = block;
        while (!left.empty()) {
            left.remove_prefix(writer.write_lines(left, 10ms));
        }
    });
    std::string read;
    while (read.size() < block.size()) {
        std::array<char, 4'096> bytes{};
        const auto count = ::read(screen.outer, bytes.data(), bytes.size());
        REQUIRE(count > 0);
        read.append(bytes.data(), static_cast<std::size_t>(count));
    }
    CHECK(read == block);
}

TEST_CASE("a full disc takes nothing of a block, and nothing is lost by that", "[log]") {
    const full_disc disc;
    log::line_writer writer(disc.descriptor);
    CHECK(writer.write_lines("one\ntwo\n", 0ms) == 0);
    CHECK(writer.lost() == 0);
}

TEST_CASE("a block goes to a file at once", "[log]") {
    std::string name = "/tmp/relais-log-XXXXXX";
    const int file = mkstemp(name.data());
    REQUIRE(file >= 0);
    unlink(name.c_str());
    log::line_writer writer(file);
    const std::string block = std::string(100'000, 'x') + "\n";
    CHECK(writer.write_lines(block, 0ms) == block.size());
    CHECK(lseek(file, 0, SEEK_END) == static_cast<off_t>(block.size()));
    close(file);
}

TEST_CASE("blocks and a logger's lines do not mix", "[log]") {
    constexpr int lines = 3'000;
    const small_pipe pipe;
    const log::logger logger("test", "test-1", log::level::info, pipe.ends[1]);
    std::jthread blocks([&] {
        std::string block;
        for (int i = 0; i < 5; ++i) {
            block += R"({"event":"block","text":")" + std::string(300, 'b') + "\"}\n";
        }
        for (int left = lines; left > 0; left -= 5) {
            std::size_t done = 0;
            while (done < block.size()) {
                done += logger.write_lines(std::string_view(block).substr(done), 10ms);
            }
        }
    });
    std::jthread single([&] {
        for (int i = 0; i < lines; ++i) {
            logger.info("single", {{"text", std::string(100, 's')}});
        }
    });
    std::string read;
    int of_blocks = 0;
    int of_logger = 0;
    while (of_blocks < lines || of_logger < lines) {
        read += pipe.read_some();
        for (auto end = read.find('\n'); end != std::string::npos; end = read.find('\n')) {
            const auto line = read.substr(0, end);
            const bool whole = line.starts_with('{') && line.ends_with('}');
            REQUIRE(whole);
            REQUIRE(line.find(R"({")", 1) == std::string::npos);
            (line.starts_with(R"({"event":"block")") ? of_blocks : of_logger) += 1;
            read.erase(0, end + 1);
        }
    }
    CHECK(of_blocks == lines);
    CHECK(of_logger == lines);
    CHECK(logger.dropped() == 0);
}

TEST_CASE("lines that somebody gave up count as dropped", "[log]") {
    const small_pipe pipe;
    const log::logger logger("test", "test-1", log::level::info, pipe.ends[1]);
    logger.report_dropped(3);
    CHECK(logger.dropped() == 3);
    CHECK(log::logger().write_lines("nobody reads this\n", 0ms) == 18);
}
