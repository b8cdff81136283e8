#include "gateway/tls/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace relais::gateway {
namespace {

bool is_full(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

transport& transport_of(BIO* bio) {
    return *static_cast<transport*>(BIO_get_data(bio));
}

} // namespace

struct transport_bio {
    static int read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
        auto& self = transport_of(bio);
        BIO_clear_retry_flags(bio);
        *got = 0;
        ssize_t count = 0;
        do {
            count = recv(self.descriptor_, into, size, 0);
        } while (count < 0 && errno == EINTR);
        if (count > 0) {
            *got = static_cast<std::size_t>(count);
            return 1;
        }
        if (count == 0) {
            self.ended_ = true;
        } else if (is_full(errno)) {
            BIO_set_retry_read(bio);
        } else {
            self.error_ = errno;
        }
        return 0;
    }

    static int write(BIO* bio, const char* data, std::size_t size, std::size_t* taken) {
        auto& self = transport_of(bio);
        BIO_clear_retry_flags(bio);
        const std::span bytes(reinterpret_cast<const unsigned char*>(data), size);
        if (!self.space_.empty()) {
            self.take(bytes);
            *taken = size;
            return 1;
        }
        *taken = self.flush() ? self.send_some(bytes) : 0;
        if (*taken == 0 && self.error_ == 0) {
            BIO_set_retry_write(bio);
        }
        return *taken > 0 ? 1 : 0;
    }

    static long control(BIO* bio, int what, long /*number*/, void* /*pointer*/) {
        switch (what) {
        case BIO_CTRL_FLUSH:
            return 1;
        case BIO_CTRL_EOF:
            return transport_of(bio).ended_ ? 1 : 0;
        default:
            return 0;
        }
    }

    static int create(BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            BIO_METHOD* out = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
            BIO_meth_set_read_ex(out, read);
            BIO_meth_set_write_ex(out, write);
            BIO_meth_set_ctrl(out, control);
            BIO_meth_set_create(out, create);
            return out;
        }();
        return made;
    }
};

bio_handle transport::make_bio() {
    bio_handle bio(BIO_new(transport_bio::method()));
    if (bio != nullptr) {
        BIO_set_data(bio.get(), this);
    }
    return bio;
}

void transport::collect(std::span<unsigned char> space) {
    space_ = space;
    collected_ = 0;
}

std::size_t transport::room() const {
    return space_.size() - collected_;
}

bool transport::send_collected() {
    const auto bytes = std::span<const unsigned char>(space_).first(collected_);
    collected_ = 0;
    if (bytes.empty()) {
        return !has_unsent();
    }
    const auto taken = has_unsent() ? 0 : send_some(bytes);
    if (taken < bytes.size() && error_ == 0) {
        keep(bytes.subspan(taken));
    }
    return taken == bytes.size();
}

void transport::release() {
    space_ = {};
    collected_ = 0;
}

/// A socket that takes less than it was given is full: to ask it again would only cost a call.
bool transport::flush() {
    if (unsent_.empty()) {
        return true;
    }
    unsent_begin_ += send_some(std::span<const unsigned char>(unsent_).subspan(unsent_begin_));
    if (has_unsent()) {
        return false;
    }
    unsent_ = {}; // the memory, too
    unsent_begin_ = 0;
    return true;
}

bool transport::has_unsent() const {
    return unsent_begin_ < unsent_.size();
}

long transport::peek(std::span<char> into) {
    ssize_t count = 0;
    do {
        count = recv(descriptor_, into.data(), into.size(), MSG_PEEK);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        return count;
    }
    if (count < 0 && is_full(errno)) {
        return 0;
    }
    ended_ = count == 0;
    error_ = count < 0 ? errno : 0;
    return -1;
}

int transport::error() const {
    return error_;
}

bool transport::ended() const {
    return ended_;
}

std::size_t transport::send_some(std::span<const unsigned char> bytes) {
    ssize_t count = 0;
    do {
        count = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        error_ = is_full(errno) ? 0 : errno;
        return 0;
    }
    return static_cast<std::size_t>(count);
}

void transport::keep(std::span<const unsigned char> bytes) {
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
}

/// There is always room but for a message of OpenSSL's own (a change of keys) among the records.
void transport::take(std::span<const unsigned char> bytes) {
    if (bytes.size() > room() && !send_collected()) {
        keep(bytes);
        return;
    }
    const auto fits = std::min(bytes.size(), room());
    std::ranges::copy(bytes.first(fits), space_.subspan(collected_).begin());
    collected_ += fits;
    if (fits < bytes.size()) {
        take(bytes.subspan(fits));
    }
}

} // namespace relais::gateway
