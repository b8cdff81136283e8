#pragma once

#include "gateway/client/client_side.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// What a route does to the fields of its answers. Made when the configuration is read; an answer
/// only gets views of the text that is here.
class field_rules {
public:
    /// Replaces the field in every answer.
    void set(std::string name, std::string value);
    /// Adds it where an answer has none of that name.
    void add_missing(std::string name, std::string value);
    void remove(std::string name);

    /// The preset of security fields: each add_missing(), so that what a service says for itself
    /// stands. Sources: OWASP Secure Headers Project; the Fetch and HTML standards.
    void use_security_preset();

    /// What is not said in here yet.
    void add(const field_rules& later);

    bool empty() const {
        return lines_.empty() && gone_.empty();
    }

    void apply(answer_head& to) const;

private:
    enum class when : std::uint8_t { always, missing };

    struct line {
        std::string name;
        std::string value;
        when added = when::always;
    };

    void put(line what);
    bool removes(std::string_view name) const;

    std::vector<line> lines_;
    std::vector<std::string> gone_;
    std::uint64_t gone_lengths_ = 0; ///< bit n: one of them has n (modulo 64) letters
};

} // namespace relais::gateway
