#include "mailing-list-sync/provider/brevo_json.hpp"

namespace relais::mailing_list_sync {

void write_ids(http::json_writer& json, std::string_view name,
               const std::vector<std::int64_t>& ids) {
    if (ids.empty()) {
        return;
    }
    json.begin_array(name);
    for (const auto id : ids) {
        json.element(id);
    }
    json.end_array();
}

std::int64_t id_member(const http::json_reader& body) {
    constexpr std::int64_t largest = std::int64_t{1} << 52;
    return body.integer("id", 1, largest);
}

error bad_answer(std::string_view what) {
    return {error_kind::unavailable, "provider-bad-answer", std::string(what), "", std::nullopt};
}

} // namespace relais::mailing_list_sync
