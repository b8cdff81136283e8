#pragma once

#include "ids/uuid.hpp"
#include "support/environment.hpp"
#include "upload/domain/purpose.hpp"
#include "upload/picture/frames.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace relais::test {

inline std::string program(const std::string& name) {
    return build_dir() + "/bin/" + name;
}

/// A folder that goes with this object.
class scratch_folder {
public:
    scratch_folder()
        : path_(std::filesystem::temp_directory_path() / ("relais-test-" + make_uuid_v7().text())) {
        std::filesystem::create_directories(path_);
    }

    ~scratch_folder() {
        std::filesystem::remove_all(path_);
    }

    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    std::string file(const std::string& name) const {
        return (path_ / name).string();
    }

    std::string write(const std::string& name, const std::string& content) const {
        std::ofstream(file(name), std::ios::binary) << content;
        return file(name);
    }

    std::string read(const std::string& name) const {
        std::ifstream in(file(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

private:
    std::filesystem::path path_;
};

/// What a shell command writes to its standard output.
inline std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    REQUIRE(pipe);
    std::string out;
    std::string part(65536, '\0');
    std::size_t count = 0;
    while ((count = std::fread(part.data(), 1, part.size(), pipe.get())) > 0) {
        out.append(part, 0, count);
    }
    return out;
}

/// A picture of tests/support/pictures.
inline std::string picture(const std::string& name) {
    std::string out = output_of(program("relais_test_pictures") + " make " + name);
    REQUIRE_FALSE(out.empty());
    return out;
}

/// What is in a picture: "loader=… width=… exif=…".
inline std::string inspected(const std::string& picture) {
    const scratch_folder scratch;
    const auto file = scratch.write("picture", picture);
    return output_of(program("relais_test_pictures") + " inspect < " + file);
}

struct worker_run {
    upload::picture_answer answer;
    bool understood = false; ///< the answer's frames are right
    int status = 0;          ///< as wait() gives it
    long rss_kib = 0;        ///< its peak
};

/// Runs relais-upload-worker alone on one picture.
inline worker_run run_worker(const std::string& picture, const std::string& content_type,
                             const std::string& purpose = "avatar") {
    const scratch_folder scratch;
    upload::picture_request request{upload::find_purpose(purpose)->recipe, picture};
    request.recipe.content_type = content_type;
    const auto input = scratch.write("request", write_request(request));
    const auto bytes =
        output_of(fmt::format("{} measure {} < {} 2> {}", program("relais_test_pictures"),
                              program("relais-upload-worker"), input, scratch.file("measures")));
    worker_run out;
    const auto measures = scratch.read("measures");
    REQUIRE(std::sscanf(measures.c_str(), "status=%d rss_kib=%ld", &out.status, &out.rss_kib) == 2);
    auto answer = read_answer(bytes, request.recipe);
    out.understood = answer.has_value();
    if (answer) {
        out.answer = std::move(*answer);
    }
    return out;
}

} // namespace relais::test
