#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace relais::http {

/// Listening sockets by the address they were asked for ("127.0.0.1:8400"): those that another
/// process gave to this one and nobody has asked for yet, and those that are open here and could be
/// given to another. One thread.
class socket_shelf {
public:
    socket_shelf() = default;
    ~socket_shelf();
    socket_shelf(const socket_shelf&) = delete;
    socket_shelf& operator=(const socket_shelf&) = delete;

    /// A descriptor that belongs to the shelf from now on.
    void put(const std::string& name, int descriptor);
    /// Whoever gets it owns it; -1: there is none.
    int take(const std::string& name);
    /// Closes what nobody has taken: nobody listens there any more.
    void clear();

    /// The descriptor stays the listener's.
    void add_open(const std::string& name, int descriptor);
    void remove_open(int descriptor);

    const std::vector<std::pair<std::string, int>>& open() const {
        return open_;
    }

    /// Another process has them, too, and accepts: closing one here loses no connection.
    void note_given_away() {
        given_away_ = true;
    }

    bool given_away() const {
        return given_away_;
    }

private:
    std::map<std::string, int, std::less<>> inherited_;
    std::vector<std::pair<std::string, int>> open_;
    bool given_away_ = false;
};

} // namespace relais::http
