#pragma once

#include "result/result.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace relais::pg {

/// A folder of NNNN_name.sql files, applied in the order of their numbers.
struct migration_component {
    std::string name; ///< "outbox", "web-api"
    std::filesystem::path folder;
};

struct applied_migration {
    std::string component;
    int number = 0;
    std::string name;
    std::chrono::milliseconds took{0};
};

/// Brings one database up to date. Each file runs in its own transaction with lock_timeout 3 s
/// (three tries), under one advisory lock, and is recorded with its SHA-256 in schema_migration.
/// Refuses, before changing anything, when a file that was applied is gone or has another checksum.
/// Errors: `conflict` / "migration-changed", `invalid` / "migration-failed" (file and server
/// message), `unavailable` / "database-down".
result<std::vector<applied_migration>>
migrate(const std::string& url, const std::vector<migration_component>& components,
        const std::function<void(const applied_migration&)>& on_applied);

} // namespace relais::pg
