#include "mailing-list-sync/store/cause.hpp"

namespace relais::mailing_list_sync {

events::cause cause_at(const pg::row& row, int first_column) {
    const auto parsed = trace::context::parse(row.view(first_column));
    return {parsed ? *parsed : trace::context::start(), row.text(first_column + 1),
            row.text(first_column + 2)};
}

} // namespace relais::mailing_list_sync
