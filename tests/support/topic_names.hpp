#pragma once

#include <string>

namespace relais::test {

/// Topics of the catalogue that the tests of the backbone use.
inline const std::string job_topic = "market.job.events.v1";
inline const std::string contact_topic = "identity.contact.snapshots.v1";

} // namespace relais::test
