#include "result/error.hpp"

#include <array>
#include <cstddef>

namespace relais {
namespace {

struct kind_row {
    error_kind kind;
    int http_status;
    bool retriable;
    std::string_view label;
};

constexpr std::array kinds{
    kind_row{error_kind::invalid, 422, false, "invalid"},
    kind_row{error_kind::unauthenticated, 401, false, "unauthenticated"},
    kind_row{error_kind::forbidden, 403, false, "forbidden"},
    kind_row{error_kind::not_found, 404, false, "not_found"},
    kind_row{error_kind::conflict, 409, false, "conflict"},
    kind_row{error_kind::too_large, 413, false, "too_large"},
    kind_row{error_kind::rate_limited, 429, true, "rate_limited"},
    kind_row{error_kind::unavailable, 503, true, "unavailable"},
    kind_row{error_kind::timeout, 504, true, "timeout"},
    kind_row{error_kind::internal, 500, true, "internal"},
};

const kind_row& row_of(error_kind kind) {
    return kinds[static_cast<std::size_t>(kind)];
}

constexpr bool rows_stand_in_order() {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (static_cast<std::size_t>(kinds[i].kind) != i) {
            return false;
        }
    }
    return true;
}

static_assert(rows_stand_in_order(), "row_of() indexes by kind");

} // namespace

int http_status(error_kind kind) {
    return row_of(kind).http_status;
}

bool is_retriable(error_kind kind) {
    return row_of(kind).retriable;
}

std::string_view to_string(error_kind kind) {
    return row_of(kind).label;
}

} // namespace relais
