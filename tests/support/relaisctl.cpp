#include "support/relaisctl.hpp"

#include "support/environment.hpp"
#include "support/kafka_topics.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <sys/wait.h>

namespace relais::test {

said relaisctl(const database& on, const std::string& arguments, const std::string& input) {
    // A libpq URI's parameter wins over the name in its path, which relaisctl fills in.
    const auto server = variable("RELAIS_TEST_POSTGRES");
    const auto url = server.substr(0, server.find('/', server.find("://") + 3));
    const std::string line =
        "printf %s '" + input + "' | RELAIS_KAFKA_BROKERS=" + kafka_topics::brokers() +
        " RELAIS_MIGRATE_URL='" + url + "?dbname=" + on.name() + "' USER=tester " + build_dir() +
        "/bin/relaisctl " + arguments + " 2>&1";
    std::FILE* from = popen(line.c_str(), "r");
    if (from == nullptr) {
        throw std::runtime_error("popen");
    }
    said out;
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), from)) {
        out.text.append(buffer.data(), size);
    }
    out.code = WEXITSTATUS(pclose(from));
    return out;
}

} // namespace relais::test
