#pragma once

#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace relais::gateway {

/// What a look at one group of files led to.
struct watch_outcome {
    std::string group;
    bool accepted = false;
    std::vector<error> problems; ///< why not; each detail names its file
};

/// Reloads certificates, keys and authorities when their files change. A group of files that belong
/// together is loaded as a whole; one that cannot be loaded leaves what was loaded before in force
/// and is tried again at every look, because a certificate and its key hardly ever change at the
/// same instant and "not yet valid" passes by itself. Reads files: for the control thread, which
/// all of it runs on.
class certificate_watch {
public:
    /// Loads the group and publishes it; what is wrong, or nothing.
    using load_function = std::function<std::vector<error>()>;
    /// Told of every reload, and of a refusal when it is another one than at the last look: for the
    /// log and `gateway_certificate_reloads_total{group,outcome}`.
    using report_function = std::function<void(const watch_outcome&)>;

    explicit certificate_watch(report_function report);

    /// A group that the caller loads first itself, after this call. Files are known by inode, size
    /// and time of change, followed through symbolic links, as Kubernetes and certbot swap them.
    void add(std::string group, std::vector<std::string> files, load_function load);

    /// Looks once; loads the groups whose files changed since they were last loaded, or all of
    /// them.
    void look(bool at_all_groups = false);

    /// Looks again and again, until cancelled.
    boost::asio::awaitable<void> run(std::chrono::milliseconds every = std::chrono::seconds(5));

    /// Groups that are refused at the moment, with the reasons: for readiness and the live view.
    std::vector<watch_outcome> refused() const;

private:
    struct stamp {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t bytes = -1;
        std::int64_t changed_ns = 0;

        friend bool operator==(const stamp&, const stamp&) = default;
    };

    struct group {
        std::vector<std::string> files;
        load_function load;
        std::vector<stamp> stamps;
        watch_outcome last;
    };

    static stamp stamp_of(const std::string& file);
    static std::vector<stamp> stamps_of(const std::vector<std::string>& files);
    void load(group& which);

    report_function report_;
    std::vector<group> groups_;
};

} // namespace relais::gateway
