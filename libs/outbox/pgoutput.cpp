#include "outbox/pgoutput.hpp"

#include "outbox/wire.hpp"

#include <fmt/format.h>

namespace relais::outbox::pgoutput {
namespace {

timestamp time_of(wire_reader& in) {
    return from_server_time(static_cast<std::int64_t>(in.int64()));
}

begin read_begin(wire_reader& in) {
    begin read;
    read.commit_lsn = in.int64();
    read.committed_at = time_of(in);
    read.xid = in.int32();
    return read;
}

commit read_commit(wire_reader& in) {
    commit read;
    in.byte(); // flags, none defined
    read.commit_lsn = in.int64();
    read.end_lsn = in.int64();
    read.committed_at = time_of(in);
    return read;
}

relation read_relation(wire_reader& in) {
    relation read;
    read.id = in.int32();
    read.schema = in.c_string();
    read.name = in.c_string();
    in.byte(); // replica identity
    const auto count = in.int16();
    for (int i = 0; i < count && in.ok(); ++i) {
        in.byte(); // part of the key
        column each;
        each.name = in.c_string();
        each.type_oid = in.int32();
        in.int32(); // type modifier
        read.columns.push_back(each);
    }
    return read;
}

/// False for a kind of value that an insert cannot have.
bool read_value(wire_reader& in, std::vector<std::optional<value>>& into) {
    const char kind = static_cast<char>(in.byte());
    if (kind == 'n') {
        into.emplace_back();
        return true;
    }
    if (kind != 't' && kind != 'b') {
        return false;
    }
    const auto size = in.int32();
    into.push_back(value{kind == 'b', in.run(size)});
    return true;
}

std::optional<insert> read_insert(wire_reader& in) {
    insert read;
    read.relation_id = in.int32();
    if (in.byte() != 'N') {
        return std::nullopt;
    }
    const auto count = in.int16();
    for (int i = 0; i < count && in.ok(); ++i) {
        if (!read_value(in, read.values)) {
            return std::nullopt;
        }
    }
    return read;
}

logical_message read_logical_message(wire_reader& in) {
    logical_message read;
    read.transactional = (in.byte() & 1U) != 0;
    read.at = in.int64();
    read.prefix = in.c_string();
    const auto size = in.int32();
    read.content = in.run(size);
    return read;
}

} // namespace

result<message> decode(std::string_view bytes) {
    wire_reader in(bytes);
    const char kind = static_cast<char>(in.byte());
    message read = other{kind};
    bool sound = true;
    switch (kind) {
    case 'B':
        read = read_begin(in);
        break;
    case 'C':
        read = read_commit(in);
        break;
    case 'R':
        read = read_relation(in);
        break;
    case 'M':
        read = read_logical_message(in);
        break;
    case 'I':
        if (auto row = read_insert(in)) {
            read = std::move(*row);
        } else {
            sound = false;
        }
        break;
    default:
        break;
    }
    if (!sound || !in.ok()) {
        return fail(error_kind::internal, "pgoutput-undecodable",
                    fmt::format("message of kind 0x{:02x}, {} bytes",
                                static_cast<unsigned char>(kind), bytes.size()));
    }
    return read;
}

} // namespace relais::outbox::pgoutput
