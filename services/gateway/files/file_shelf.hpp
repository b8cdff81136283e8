#pragma once

#include "gateway/compression/coding.hpp"
#include "gateway/files/open_below.hpp"
#include "gateway/files/static_rules.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relais::gateway {

/// One form of a file: as it is, or compressed beforehand (.br, .zst, .gz beside it).
struct file_form {
    coding coded = coding::identity;
    std::string path; ///< below the directory
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
    std::string etag;
    std::string content; ///< of small files; the others are opened when they are sent

    bool is_held() const {
        return content.size() == bytes;
    }
};

/// A file as it was when it was last looked at. Immutable, also while it is sent.
struct shelf_file {
    enum class kind : std::uint8_t { file, redirect };

    kind what = kind::file;
    std::string_view type;
    std::chrono::sys_seconds modified;
    std::string modified_text;
    std::vector<file_form> forms; ///< as it is, then compressed, in order of preference
    std::vector<coding> codings;  ///< of the compressed ones
};

/// The files that one event loop serves: small ones in memory, bounded, looked at on disk again
/// when a second has passed. Not shared between loops: reading takes no lock.
class file_shelf {
public:
    using steady = std::chrono::steady_clock;
    /// Shared by the shelf and the answers under way.
    using file = std::shared_ptr<const shelf_file>;

    struct found {
        file what;            ///< null: nothing
        bool missing = false; ///< it is only the page for that
    };

    /// What this request path stands for.
    found find(const static_rules& rules, std::string_view path, steady::time_point now);

    /// A form that is not held; empty when it is not the same file any more.
    open_file open(const static_rules& rules, const file_form& form, steady::time_point now);

    /// Forgets everything.
    void clear();

private:
    static constexpr std::chrono::seconds trusted{1};
    static constexpr std::uint64_t held_bytes_max = std::uint64_t{32} << 20;
    static constexpr std::size_t files_max = 2'048;

    struct slot {
        std::string key;
        file what;
        std::uint64_t bytes = 0;
        steady::time_point looked;
    };

    struct text_hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    using slots = std::list<slot>;

    struct root {
        static_rules rules;
        open_file directory;
        std::uint64_t inode = 0;
        steady::time_point looked;
        slots files; ///< the one used last is in front
        std::unordered_map<std::string_view, slots::iterator, text_hash, std::equal_to<>> by_path;
    };

    file find_at(root& where, std::string_view path, steady::time_point now);
    root& root_of(const static_rules& rules, steady::time_point now);
    void look_at(root& which, steady::time_point now) const;
    void put(root& where, std::string_view path, file what, steady::time_point now);
    void remove(root& where, slots::iterator which);

    std::list<root> roots_;
    std::uint64_t held_bytes_ = 0;
};

/// Reads a file from disk for a request path. Null: there is none.
file_shelf::file read_file(const static_rules& rules, const open_file& directory,
                           std::string_view path);

/// Whether the disk still has what was read.
bool is_same(const shelf_file& read, const open_file& directory);

} // namespace relais::gateway
