#pragma once

#include "postgres/migrate.hpp"

namespace relais::pg {

/// One NNNN_name.sql as it lies on disk.
struct migration_file {
    std::string component;
    int number = 0;
    std::string name; ///< without number and extension
    std::string text;
    std::string checksum; ///< SHA-256, hex
};

/// What schema_migration says.
struct migration_record {
    std::string component;
    int number = 0;
    std::string name;
    std::string checksum;
};

/// All files, components in the given order, numbers ascending from 1 without gaps. Error:
/// `invalid` / "migration-files" (unreadable folder, other file names, gaps, duplicates).
result<std::vector<migration_file>>
read_migration_files(const std::vector<migration_component>& components);

/// The files that were not applied yet. Records of other components are not our business. Error:
/// `conflict` / "migration-changed" when an applied one is gone or differs.
result<std::vector<migration_file>>
pending_migrations(const std::vector<migration_file>& files,
                   const std::vector<migration_record>& applied);

} // namespace relais::pg
