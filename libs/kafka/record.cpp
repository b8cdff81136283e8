#include "kafka/record.hpp"

namespace relais::kafka {

record to_record(const events::event& value) {
    record made;
    made.topic = value.topic;
    made.key = value.key;
    if (!value.tombstone) {
        made.value = value.payload;
    }
    made.headers = events::to_headers(value);
    made.time = value.time;
    return made;
}

result<events::event> to_event(const record& value) {
    return events::from_record(value.topic, value.key, value.value, value.headers);
}

} // namespace relais::kafka
