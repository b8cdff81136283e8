#include "postgres/migration_files.hpp"

#include "ids/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace relais::pg {
namespace {

constexpr std::size_t digits = 4;

result<migration_file> parse_name(const std::string& component, const std::string& file_name) {
    const auto refuse = [&] {
        return fail(error_kind::invalid, "migration-files",
                    fmt::format("{}/{}: not NNNN_name.sql", component, file_name));
    };
    if (!file_name.ends_with(".sql") || file_name.size() < digits + 6 || file_name[digits] != '_') {
        return refuse();
    }
    migration_file parsed{.component = component};
    const auto* begin = file_name.data();
    const auto [end, failed] = std::from_chars(begin, begin + digits, parsed.number);
    if (failed != std::errc() || end != begin + digits) {
        return refuse();
    }
    parsed.name = file_name.substr(digits + 1, file_name.size() - digits - 5);
    return parsed;
}

result<std::vector<migration_file>> read_folder(const migration_component& component) {
    std::vector<migration_file> files;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(component.folder, failed)) {
        auto parsed = parse_name(component.name, entry.path().filename().string());
        if (!parsed) {
            return fail(parsed);
        }
        std::ifstream in(entry.path(), std::ios::binary);
        parsed->text.assign(std::istreambuf_iterator<char>(in), {});
        if (!in) {
            return fail(error_kind::invalid, "migration-files",
                        "cannot read " + entry.path().string());
        }
        parsed->checksum = to_hex(sha256(as_bytes(parsed->text)));
        files.push_back(std::move(*parsed));
    }
    if (failed) {
        return fail(error_kind::invalid, "migration-files",
                    fmt::format("{}: {}", component.folder.string(), failed.message()));
    }
    std::ranges::sort(files, {}, &migration_file::number);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].number != static_cast<int>(i) + 1) {
            return fail(
                error_kind::invalid, "migration-files",
                fmt::format("{}: number {:04} is missing or there twice", component.name, i + 1));
        }
    }
    return files;
}

} // namespace

result<std::vector<migration_file>>
read_migration_files(const std::vector<migration_component>& components) {
    std::vector<migration_file> all;
    for (const auto& component : components) {
        auto files = read_folder(component);
        if (!files) {
            return fail(files);
        }
        std::ranges::move(*files, std::back_inserter(all));
    }
    return all;
}

result<std::vector<migration_file>>
pending_migrations(const std::vector<migration_file>& files,
                   const std::vector<migration_record>& applied) {
    const auto same = [](const auto& a, const auto& b) {
        return a.component == b.component && a.number == b.number;
    };
    for (const auto& record : applied) {
        const bool ours = std::ranges::any_of(
            files, [&](const auto& file) { return file.component == record.component; });
        const auto file =
            std::ranges::find_if(files, [&](const auto& each) { return same(each, record); });
        const auto title = fmt::format("{}/{:04}_{}", record.component, record.number, record.name);
        if (ours && file == files.end()) {
            return fail(error_kind::conflict, "migration-changed",
                        title + " was applied, but its file is gone");
        }
        if (ours && file->checksum != record.checksum) {
            return fail(error_kind::conflict, "migration-changed",
                        title + " was edited after it was applied: write a new migration instead");
        }
    }
    std::vector<migration_file> pending;
    std::ranges::copy_if(files, std::back_inserter(pending), [&](const auto& file) {
        return std::ranges::none_of(applied,
                                    [&](const auto& record) { return same(file, record); });
    });
    return pending;
}

} // namespace relais::pg
