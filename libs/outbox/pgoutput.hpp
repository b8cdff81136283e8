#pragma once

#include "outbox/replication_message.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace relais::outbox::pgoutput {

/// Messages of the output plugin pgoutput, protocol version 1 (PostgreSQL manual §55.9). A pure
/// decoder; whatever the bytes are it returns, it never reads past them. Views point into the
/// bytes.

struct begin {
    lsn commit_lsn =
        0; ///< known from the start: in version 1 a transaction is sent after its commit
    timestamp committed_at{};
    std::uint32_t xid = 0;
};

struct commit {
    lsn commit_lsn = 0;
    lsn end_lsn = 0; ///< to confirm: everything before it
    timestamp committed_at{};
};

struct column {
    std::string_view name;
    std::uint32_t type_oid = 0;
};

struct relation {
    std::uint32_t id = 0;
    std::string_view schema;
    std::string_view name;
    std::vector<column> columns;
};

/// One value of a row: its text form, or its binary form when `binary` was asked for and exists.
struct value {
    bool binary = false;
    std::string_view bytes;
};

struct insert {
    std::uint32_t relation_id = 0;
    std::vector<std::optional<value>> values; ///< nullopt: NULL
};

/// From pg_logical_emit_message.
struct logical_message {
    bool transactional = false;
    lsn at = 0;
    std::string_view prefix;
    std::string_view content;
};

/// Types, origins, and changes that our publication does not have.
struct other {
    char kind = 0;
};

using message = std::variant<begin, commit, relation, insert, logical_message, other>;

/// Error: `internal` / "pgoutput-undecodable".
result<message> decode(std::string_view bytes);

} // namespace relais::outbox::pgoutput
