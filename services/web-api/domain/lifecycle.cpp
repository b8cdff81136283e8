#include "web-api/domain/lifecycle.hpp"

#include <algorithm>
#include <stdexcept>

namespace relais::web_api {

const std::vector<transition>& lifecycle() {
    static const std::vector<transition> table{
        // thing   name          from           to            actor             events
        {"job", "publish", {}, "open", actor::requester, {"JobPublished", "JobSnapshot"}},
        {"job", "assign", {"open"}, "assigned", actor::requester, {"OfferAccepted"}},
        {"offer", "make", {}, "submitted", actor::provider, {"OfferMade"}},
        {"offer", "accept", {"submitted"}, "accepted", actor::requester, {"OfferAccepted"}},
        {"offer", "supersede", {"submitted"}, "superseded", actor::rule, {}},
    };
    return table;
}

const transition& transition_of(std::string_view thing, std::string_view name) {
    const auto found = std::ranges::find_if(lifecycle(), [&](const transition& line) {
        return line.thing == thing && line.name == name;
    });
    if (found == lifecycle().end()) {
        throw std::logic_error("no such transition: " + std::string(thing) + " " +
                               std::string(name));
    }
    return *found;
}

result<void> check_transition(const transition& wanted, std::string_view current) {
    if (std::ranges::find(wanted.from, current) == wanted.from.end()) {
        return fail(error_kind::conflict, "state-conflict",
                    "the " + std::string(wanted.thing) + " is " + std::string(current));
    }
    return {};
}

std::vector<std::string> states_of(std::string_view thing) {
    std::vector<std::string> states;
    for (const auto& line : lifecycle()) {
        if (line.thing == thing && std::ranges::find(states, line.to) == states.end()) {
            states.emplace_back(line.to);
        }
    }
    return states;
}

std::vector<std::string> states_before(const transition& wanted) {
    return {wanted.from.begin(), wanted.from.end()};
}

} // namespace relais::web_api
