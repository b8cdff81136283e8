#include "gateway/files/file_shelf.hpp"

#include <algorithm>
#include <sys/stat.h>

namespace relais::gateway {
namespace {

std::uint64_t held_bytes_of(const shelf_file& what) {
    std::uint64_t sum = 512;
    for (const auto& each : what.forms) {
        sum += each.content.size();
    }
    return sum;
}

} // namespace

/// A release may replace the directory itself, or a link to it.
void file_shelf::look_at(root& which, steady::time_point now) const {
    which.looked = now;
    auto opened = open_directory(which.rules.directory);
    struct stat is{};
    if (!opened || ::fstat(opened.get(), &is) != 0) {
        return; // for a moment, perhaps: what is open stays good
    }
    which.inode = is.st_ino;
    which.directory = std::move(opened);
}

file_shelf::root& file_shelf::root_of(const static_rules& rules, steady::time_point now) {
    const auto known = std::ranges::find(roots_, rules, &root::rules);
    if (known != roots_.end()) {
        if (now - known->looked > trusted) {
            look_at(*known, now);
        }
        return *known;
    }
    auto& made = roots_.emplace_back();
    made.rules = rules;
    look_at(made, now);
    return made;
}

file_shelf::found file_shelf::find(const static_rules& rules, std::string_view path,
                                   steady::time_point now) {
    auto& where = root_of(rules, now);
    if (auto there = find_at(where, path, now)) {
        return {std::move(there), false};
    }
    const auto name = path.substr(path.rfind('/') + 1);
    if (!rules.fallback.empty() && name.find('.') == std::string_view::npos) {
        if (auto page = find_at(where, rules.fallback, now)) {
            return {std::move(page), false};
        }
    }
    return {rules.not_found.empty() ? nullptr : find_at(where, rules.not_found, now), true};
}

file_shelf::file file_shelf::find_at(root& where, std::string_view path, steady::time_point now) {
    const auto known = where.by_path.find(path);
    if (known == where.by_path.end()) {
        auto read = read_file(where.rules, where.directory, path);
        if (read != nullptr) {
            put(where, path, read, now);
        }
        return read;
    }
    auto& slot = *known->second;
    if (now - slot.looked > trusted) {
        slot.looked = now;
        if (!is_same(*slot.what, where.directory)) {
            remove(where, known->second);
            return find_at(where, path, now);
        }
    }
    where.files.splice(where.files.begin(), where.files, known->second);
    return slot.what;
}

void file_shelf::put(root& where, std::string_view path, file what, steady::time_point now) {
    const auto bytes = held_bytes_of(*what) + path.size();
    if (bytes > held_bytes_max) {
        return;
    }
    for (auto& each : roots_) {
        while (!each.files.empty() &&
               (held_bytes_ + bytes > held_bytes_max || each.files.size() >= files_max)) {
            remove(each, std::prev(each.files.end()));
        }
    }
    where.files.push_front({std::string(path), std::move(what), bytes, now});
    where.by_path.emplace(where.files.front().key, where.files.begin());
    held_bytes_ += bytes;
}

void file_shelf::remove(root& where, slots::iterator which) {
    held_bytes_ -= which->bytes;
    where.by_path.erase(which->key);
    where.files.erase(which);
}

open_file file_shelf::open(const static_rules& rules, const file_form& form,
                           steady::time_point now) {
    auto opened = open_below(root_of(rules, now).directory, form.path);
    struct stat is{};
    const bool same = opened && ::fstat(opened.get(), &is) == 0 && is.st_ino == form.inode &&
                      static_cast<std::uint64_t>(is.st_size) == form.bytes;
    return same ? std::move(opened) : open_file();
}

void file_shelf::clear() {
    roots_.clear();
    held_bytes_ = 0;
}

} // namespace relais::gateway
