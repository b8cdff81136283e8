#include "mailing-list-sync/workers/list_directory.hpp"

#include <algorithm>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {

list_directory::list_directory(pg::pool& database, brevo& provider)
    : database_(database), provider_(provider) {}

bool list_directory::knows(const std::set<std::string>& names) const {
    return std::ranges::all_of(names, [&](const auto& name) { return known_.contains(name); });
}

void list_directory::forget() {
    known_.clear();
    ask_provider_ = true;
}

asio::awaitable<result<void>> list_directory::learn(std::set<std::string> names,
                                                    trace::context where) {
    if (!ask_provider_) {
        auto stored = co_await database_.read(
            "known_lists", [](pg::transaction& tx) -> result<list_ids> { return known_lists(tx); });
        if (!stored) {
            co_return fail(stored);
        }
        known_ = std::move(*stored);
    }
    if (knows(names)) {
        co_return result<void>();
    }
    auto there = co_await provider_.lists(where);
    if (!there) {
        co_return fail(there);
    }
    list_ids found = std::move(*there);
    for (const auto& name : names) {
        if (!found.contains(name)) {
            const auto created = co_await provider_.create_list(name, where);
            if (!created) {
                co_return fail(created);
            }
            found.emplace(name, *created);
        }
    }
    known_ = found;
    ask_provider_ = false;
    auto save = [found](pg::transaction& tx) -> result<void> {
        save_lists(tx, found);
        return {};
    };
    auto saved = co_await database_.transact("save_lists", std::move(save));
    co_return saved;
}

asio::awaitable<result<std::vector<std::int64_t>>>
list_directory::ids_of(std::set<std::string> names, trace::context where) {
    if (!knows(names)) {
        const auto learned = co_await learn(names, where);
        if (!learned) {
            co_return fail(learned);
        }
    }
    std::vector<std::int64_t> out;
    out.reserve(names.size());
    for (const auto& name : names) {
        out.push_back(known_.at(name));
    }
    co_return out;
}

} // namespace relais::mailing_list_sync
