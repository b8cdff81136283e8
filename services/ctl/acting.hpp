#pragma once

#include "ctl/command.hpp"
#include "postgres/transaction.hpp"

#include <string>

namespace relais::ctl {

/// Who changes something, and why: --by (else the login's name) and --why.
struct acting {
    std::string by;
    std::string why;
};

acting acting_of(const context& where, const arguments& given);

/// Publishes that it was done, with the transaction that does it. Target: "timer/ID".
void note_act(pg::transaction& tx, const acting& who, const std::string& service,
              const std::string& action, const std::string& target);

} // namespace relais::ctl
