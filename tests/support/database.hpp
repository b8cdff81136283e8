#pragma once

#include "postgres/pool.hpp"

#include <string>
#include <vector>

namespace relais::test {

/// A fresh database for one test case on RELAIS_TEST_POSTGRES, with the migrations of the libraries
/// and of the named services applied, dropped at the end (with the slots that belong to it).
/// Migrated once per set of files: later ones are copies of a template.
class database {
public:
    explicit database(const std::vector<std::string>& services = {});
    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    const std::string& name() const {
        return name_;
    }

    /// As a superuser.
    const std::string& url() const {
        return url_;
    }

    pg::pool_settings pool_settings(std::size_t connections = 2) const;

    /// Runs one statement (or several without parameters) on a connection of its own; blocks.
    /// Throws std::runtime_error. The rows as text, NULL as "<null>".
    std::vector<std::vector<std::string>> query(const std::string& sql) const;

    /// The first column of the first row.
    std::string value(const std::string& sql) const;

private:
    std::string name_;
    std::string url_;
};

/// As database::query, on any server.
std::vector<std::vector<std::string>> query(const std::string& url, const std::string& sql);

/// The URL of another database on the same server.
std::string with_database(const std::string& url, const std::string& name);

} // namespace relais::test
