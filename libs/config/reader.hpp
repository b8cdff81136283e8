#pragma once

#include "config/secret.hpp"
#include "result/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::config {

using environment = std::map<std::string, std::string, std::less<>>;

/// The process's environment variables. The only place that reads them.
environment process_environment();

/// A host and a port to listen on or to connect to.
struct endpoint {
    std::string host;
    std::uint16_t port = 0;

    std::string text() const;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// One documented variable, as `--help-config` shows it.
struct variable {
    std::string name;
    std::string form;          ///< what a value looks like: "host:port", "milliseconds" …
    std::string default_value; ///< empty: must be set
    std::string description;
    bool is_secret = false;
    bool required = false;
};

/// Reads typed values from environment variables and collects every problem instead of stopping at
/// the first. Each getter documents its variable as a side effect, so `--help-config` cannot differ
/// from what is read. A default of nullopt makes the variable required. A secret may also be given
/// as a file: NAME_FILE=path (a trailing newline is dropped). An empty value counts as not set.
class reader {
public:
    explicit reader(environment variables);

    std::string text(std::string_view name, const std::optional<std::string>& fallback,
                     std::string_view description);
    config::secret secret(std::string_view name, const std::optional<std::string>& fallback,
                          std::string_view description);
    /// 32 bytes (or `size`) in base64url; returns the raw bytes.
    config::secret key(std::string_view name, std::size_t size, std::string_view description);
    std::int64_t integer(std::string_view name, const std::optional<std::int64_t>& fallback,
                         std::int64_t min, std::int64_t max, std::string_view description);
    std::chrono::milliseconds duration_ms(std::string_view name,
                                          const std::optional<std::chrono::milliseconds>& fallback,
                                          std::string_view description);
    /// true/false, 1/0, yes/no.
    bool boolean(std::string_view name, const std::optional<bool>& fallback,
                 std::string_view description);
    config::endpoint endpoint(std::string_view name, const std::optional<std::string>& fallback,
                              std::string_view description);
    /// http:// or https:// URL without a trailing slash.
    std::string url(std::string_view name, const std::optional<std::string>& fallback,
                    std::string_view description);
    std::string choice(std::string_view name, std::vector<std::string> allowed,
                       const std::optional<std::string>& fallback, std::string_view description);

    /// Adds a problem that concerns several variables together.
    void problem(std::string_view name, std::string_view what);

    /// All problems, one line each: name, what is wrong, the expected form; never a secret's value.
    const std::vector<std::string>& problems() const {
        return problems_;
    }

    const std::vector<variable>& variables() const {
        return variables_;
    }

    /// The page that `--help-config` prints.
    std::string help() const;

private:
    std::optional<std::string> find(const variable& described);

    environment environment_;
    std::vector<variable> variables_;
    std::vector<std::string> problems_;
};

} // namespace relais::config
