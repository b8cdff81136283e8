#include "web-api/domain/money.hpp"

#include <algorithm>

namespace relais::web_api {

const std::vector<std::string>& currency_names() {
    static const std::vector<std::string> names{"EUR"};
    return names;
}

result<money> money::make(std::int64_t amount_minor, std::string_view currency) {
    if (amount_minor < 1 || amount_minor > amount_minor_max) {
        return fail(error_kind::invalid, "amount-out-of-range", "must be 1 to 100000000");
    }
    if (std::ranges::find(currency_names(), currency) == currency_names().end()) {
        return fail(error_kind::invalid, "unknown-currency", "must be EUR");
    }
    return money(amount_minor, std::string(currency));
}

} // namespace relais::web_api
