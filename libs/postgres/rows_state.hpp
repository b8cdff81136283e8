#pragma once

#include <pqxx/field>
#include <pqxx/result>

namespace relais::pg::detail {

/// Inside this library only: what rows points at.
struct rows_state {
    pqxx::result answer;
};

} // namespace relais::pg::detail
