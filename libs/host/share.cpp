#include "host/share.hpp"

#include "config/reader.hpp"

#include <filesystem>

namespace relais::host {

std::string share_path(std::string_view name) {
    const auto environment = config::process_environment();
    const auto set = environment.find("RELAIS_SHARE_DIR");
    if (set != environment.end() && !set->second.empty()) {
        return (std::filesystem::path(set->second) / name).string();
    }
    std::error_code failed;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
    return (program.parent_path().parent_path() / "share/relais" / name).string();
}

} // namespace relais::host
