#pragma once

#include "gateway/tls/openssl_handles.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relais::gateway {

/// The tickets a client got, by target. Bounded: few for each target, and a limit of targets,
/// beyond which everything is forgotten (instances come and go; a full handshake is no misfortune).
/// Inside this folder only, one thread.
class ticket_shelf {
public:
    void put(std::string_view target, session_handle ticket);

    /// The newest; nullptr: there is none.
    session_handle take(std::string_view target);

    std::size_t count(std::string_view target) const;
    void clear();

private:
    struct text_hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };

    std::unordered_map<std::string, std::vector<session_handle>, text_hash, std::equal_to<>>
        tickets_;
};

} // namespace relais::gateway
