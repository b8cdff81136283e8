#include "clock/rfc3339.hpp"
#include "gateway/files/file_shelf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sys/stat.h>
#include <unistd.h>

// How a file comes from disk to the shelf.
namespace relais::gateway {
namespace {

constexpr std::uint64_t held_file_max = std::uint64_t{256} * 1024;

/// What may stand beside a file, in order of preference.
constexpr std::array beside{coding::brotli, coding::zstd, coding::gzip};

struct looked {
    open_file file;
    struct stat is{};

    bool is_regular() const {
        return file && S_ISREG(is.st_mode);
    }

    bool is_directory() const {
        return file && S_ISDIR(is.st_mode);
    }
};

looked look(const open_file& directory, const std::string& path) {
    looked out;
    out.file = open_below(directory, path);
    if (out.file && ::fstat(out.file.get(), &out.is) != 0) {
        out.file = {};
    }
    return out;
}

std::int64_t nanoseconds_of(const struct stat& is) {
    return std::int64_t{is.st_mtim.tv_sec} * 1'000'000'000 + is.st_mtim.tv_nsec;
}

/// A compressed form that is older than the file is one of what was there before.
bool belongs_to(const looked& compressed, std::int64_t modified_ns) {
    return compressed.is_regular() && nanoseconds_of(compressed.is) >= modified_ns;
}

bool read_whole(const open_file& from, std::uint64_t bytes, std::string& to) {
    to.resize(bytes);
    std::uint64_t done = 0;
    while (done < bytes) {
        const auto count =
            ::pread(from.get(), to.data() + done, bytes - done, static_cast<off_t>(done));
        if (count <= 0) {
            return false; // it was cut meanwhile
        }
        done += static_cast<std::uint64_t>(count);
    }
    return true;
}

/// The time with nanoseconds and the length: not the inode, so that copies on several machines that
/// keep their times have the same one.
std::string etag_of(const file_form& form) {
    const auto suffix = form.coded == coding::identity ? std::string_view() : to_string(form.coded);
    return fmt::format("\"{:x}-{:x}{}{}\"", form.modified_ns, form.bytes, suffix.empty() ? "" : "-",
                       suffix);
}

bool add_form(shelf_file& to, coding coded, const std::string& path, const looked& found) {
    file_form form;
    form.coded = coded;
    form.path = path;
    form.bytes = static_cast<std::uint64_t>(found.is.st_size);
    form.modified_ns = nanoseconds_of(found.is);
    form.inode = found.is.st_ino;
    form.etag = etag_of(form);
    if (form.bytes <= held_file_max && !read_whole(found.file, form.bytes, form.content)) {
        return false;
    }
    if (coded != coding::identity) {
        to.codings.push_back(coded);
    }
    to.forms.push_back(std::move(form));
    return true;
}

file_shelf::file read_regular(const open_file& directory, const std::string& path,
                              const looked& found) {
    auto out = std::make_shared<shelf_file>();
    out->type = content_type_of(path);
    out->modified = std::chrono::sys_seconds(std::chrono::seconds(found.is.st_mtim.tv_sec));
    out->modified_text = to_http_date(timestamp(out->modified));
    if (!add_form(*out, coding::identity, path, found)) {
        return nullptr;
    }
    for (const auto coded : beside) {
        const auto compressed = path + std::string(extension_of(coded));
        const auto also = look(directory, compressed);
        if (belongs_to(also, nanoseconds_of(found.is))) {
            add_form(*out, coded, compressed, also);
        }
    }
    return out;
}

} // namespace

file_shelf::file read_file(const static_rules& rules, const open_file& directory,
                           std::string_view path) {
    const auto below = path_below(rules.prefix, path);
    if (!directory || !below) {
        return nullptr;
    }
    const bool as_directory = path.ends_with('/');
    auto found = look(directory, *below);
    if (found.is_regular() && !as_directory) {
        return read_regular(directory, *below, found);
    }
    if (found.is_directory() && !rules.index.empty()) {
        const auto index = below->empty() ? rules.index : *below + "/" + rules.index;
        const auto page = look(directory, index);
        if (page.is_regular() && !as_directory) {
            auto out = std::make_shared<shelf_file>(); // else its links would lead elsewhere
            out->what = shelf_file::kind::redirect;
            return out;
        }
        if (page.is_regular()) {
            return read_regular(directory, index, page);
        }
    }
    return nullptr;
}

bool is_same(const shelf_file& read, const open_file& directory) {
    if (read.forms.empty()) {
        return false;
    }
    const auto& plain = read.forms.front();
    const auto now = look(directory, plain.path);
    const bool unchanged = now.is_regular() && now.is.st_ino == plain.inode &&
                           static_cast<std::uint64_t>(now.is.st_size) == plain.bytes &&
                           nanoseconds_of(now.is) == plain.modified_ns;
    if (!unchanged) {
        return false;
    }
    return std::ranges::all_of(beside, [&](coding coded) {
        const auto also = look(directory, plain.path + std::string(extension_of(coded)));
        const auto known = std::ranges::find(read.forms, coded, &file_form::coded);
        if (known == read.forms.end()) {
            return !belongs_to(also, plain.modified_ns);
        }
        return also.is_regular() && also.is.st_ino == known->inode &&
               nanoseconds_of(also.is) == known->modified_ns;
    });
}

} // namespace relais::gateway
