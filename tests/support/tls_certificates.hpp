#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace relais::test {

/// A folder that goes away with this.
class certificate_folder {
public:
    certificate_folder();
    ~certificate_folder();
    certificate_folder(const certificate_folder&) = delete;
    certificate_folder& operator=(const certificate_folder&) = delete;

    std::string file(const std::string& name) const;
    /// Writes the text and gives the path.
    std::string write(const std::string& name, const std::string& text) const;

private:
    std::filesystem::path path_;
};

struct certificate_request {
    std::string common_name = "test";
    std::vector<std::string> dns_names;
    std::vector<std::string> addresses;
    std::string uri;
    std::string key = "P-256"; ///< a group's name, "RSA" with 2048 bits, "RSA-1024" or "ED25519"
    /// From now.
    std::chrono::seconds valid_from{-std::chrono::hours(1)};
    std::chrono::seconds valid_to{std::chrono::hours(24 * 30)};
};

struct certificate_pair {
    std::string chain_file;
    std::string key_file;
};

/// Signs certificates; its own is `<name>-ca.pem` in the folder.
class certificate_authority {
public:
    certificate_authority(const certificate_folder& folder, const std::string& name);
    ~certificate_authority();
    certificate_authority(const certificate_authority&) = delete;
    certificate_authority& operator=(const certificate_authority&) = delete;

    const std::string& ca_file() const;

    /// Writes `<name>.pem` (with the authority's own behind it) and `<name>.key`, also over what is
    /// there.
    certificate_pair issue(const std::string& name, const certificate_request& request);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::test
