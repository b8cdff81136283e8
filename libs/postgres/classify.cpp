#include "postgres/transaction.hpp"

#include <array>

namespace relais::pg {
namespace {

struct state_row {
    std::string_view prefix; ///< the longest matching one decides
    error_kind kind;
    std::string_view slug;
};

/// PostgreSQL appendix A. Whole codes first, then classes.
constexpr std::array states{
    state_row{"23505", error_kind::conflict, "unique-violation"},
    state_row{"23503", error_kind::conflict, "foreign-key-violation"},
    state_row{"23P01", error_kind::conflict, "exclusion-violation"},
    state_row{"23514", error_kind::invalid, "check-violation"},
    state_row{"23502", error_kind::invalid, "not-null-violation"},
    state_row{"40001", error_kind::unavailable, "serialization"},
    state_row{"40P01", error_kind::unavailable, "deadlock"},
    state_row{"40003", error_kind::timeout, "commit-in-doubt"},
    state_row{"57014", error_kind::timeout, "database-timeout"},
    state_row{"25P03", error_kind::timeout, "database-timeout"},
    state_row{"55P03", error_kind::unavailable, "database-lock-timeout"},
    state_row{"55006", error_kind::unavailable, "database-object-in-use"},
    state_row{"53300", error_kind::unavailable, "database-connections"},
    state_row{"53100", error_kind::unavailable, "database-disk-full"},
    state_row{"25006", error_kind::unavailable, "database-read-only"},
    state_row{"42501", error_kind::internal, "database-permission"},
    state_row{"57P", error_kind::unavailable, "database-down"},
    state_row{"08", error_kind::unavailable, "database-down"},
    state_row{"22", error_kind::invalid, "invalid-data"},
    state_row{"40", error_kind::unavailable, "serialization"},
    state_row{"53", error_kind::unavailable, "database-resources"},
    state_row{"58", error_kind::unavailable, "database-system"},
};

} // namespace

error classify(std::string_view sqlstate, std::string_view message) {
    if (sqlstate.empty()) {
        // libpq gives no SQLSTATE when the connection itself failed.
        return {error_kind::unavailable, "database-down", std::string(message), "", std::nullopt};
    }
    for (const auto& row : states) {
        if (sqlstate.starts_with(row.prefix)) {
            return {row.kind, std::string(row.slug), std::string(message), "", std::nullopt};
        }
    }
    return {error_kind::internal, "database-error", std::string(message), "", std::nullopt};
}

failure::failure(error reason, std::string sqlstate, std::string constraint)
    : reason_(std::move(reason)), sqlstate_(std::move(sqlstate)),
      constraint_(std::move(constraint)) {}

const char* failure::what() const noexcept {
    return reason_.detail.c_str();
}

} // namespace relais::pg
