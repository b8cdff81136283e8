#pragma once

// For server_link.cpp only: what libpq gives and how it is given back.

#include "outbox/server_link.hpp"

#include <libpq-fe.h>
#include <memory>
#include <string>
#include <string_view>

namespace relais::outbox {

struct close_connection {
    void operator()(PGconn* connection) const {
        PQfinish(connection);
    }
};

struct clear_result {
    void operator()(PGresult* answer) const {
        PQclear(answer);
    }
};

using result_handle = std::unique_ptr<PGresult, clear_result>;

inline std::string first_line(const char* message) {
    const std::string_view text = message == nullptr ? "" : message;
    return std::string(text.substr(0, text.find('\n')));
}

inline text_rows rows_of(const PGresult* answer) {
    text_rows rows;
    for (int r = 0; r < PQntuples(answer); ++r) {
        auto& row = rows.emplace_back();
        for (int c = 0; c < PQnfields(answer); ++c) {
            if (PQgetisnull(answer, r, c) != 0) {
                row.emplace_back();
            } else {
                row.emplace_back(std::string(PQgetvalue(answer, r, c),
                                             static_cast<std::size_t>(PQgetlength(answer, r, c))));
            }
        }
    }
    return rows;
}

} // namespace relais::outbox
