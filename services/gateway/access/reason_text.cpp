#include "gateway/access/reason_text.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace relais::gateway {
namespace {

struct entry {
    error_reason reason;
    reason_text text;
};

/// What clients do wrong, or what is done to them.
constexpr std::array of_clients{
    entry{error_reason::protocol_error,
          {"The bytes were no request that RFC 9110 and 9112 allow.",
           "Look at the detail; the client or a proxy before us writes HTTP wrongly."}},
    entry{error_reason::header_too_large,
          {"The request's fields were larger, or more, than a head may be.",
           "Mostly cookies that grow: have the client delete them, or shorten what sets them."}},
    entry{error_reason::uri_too_long,
          {"The path with its query was too long.", "Let the client send such data in a body."}},
    entry{error_reason::body_too_large,
          {"The body had more bytes than the route allows.",
           "Raise body_max_bytes of the route if such bodies are right."}},
    entry{error_reason::request_timeout,
          {"The client took too long to send its request.",
           "A slow network, or somebody who holds connections open on purpose."}},
    entry{error_reason::client_disconnect,
          {"The client left before it had the whole answer.",
           "Compare the duration with the client's own timeout; one of them is all right."}},
    entry{error_reason::invalid_token,
          {"The bearer token is unknown, expired or revoked.",
           "Let the client sign in again; many of these from one network are guesses."}},
    entry{error_reason::unauthenticated,
          {"The request needs a credential and had none.",
           "Let the client send Authorization: Bearer."}},
    entry{error_reason::forbidden,
          {"Whoever asks may not do this.", "Look at the roles of the account."}},
    entry{error_reason::cross_site,
          {"A page of another site asked, which this route does not allow.",
           "Add the origin to the route if that page is ours."}},
    entry{error_reason::no_route,
          {"No route has this path.",
           "Add a route to the routes file, or correct the link that leads here."}},
    entry{error_reason::not_found,
          {"There is nothing at this path.", "Correct the link that leads here."}},
    entry{error_reason::misdirected,
          {"The connection was made for another host name.",
           "The client may ask again on a connection of its own; most do so by themselves."}},
    entry{error_reason::http2_abuse,
          {"The HTTP/2 connection did too much for nothing: resets, pings, empty frames.",
           "Look at the network it came from; relaisctl bans add keeps it out."}},
    entry{error_reason::method_not_allowed,
          {"The path has routes, but none for this method; or nobody here knows the method.",
           "See the Allow field of the answer, or add the method to the route."}},
    entry{error_reason::conflict,
          {"The request does not fit the state that things are in.", "See the detail."}},
    entry{error_reason::too_large,
          {"Something in the request was larger than allowed.", "See the detail."}},
    entry{error_reason::rate_limited,
          {"The client asked more often than a limit allows.",
           "The detail names the limit; Retry-After said when to come again."}},
    entry{error_reason::upload_limit,
          {"The account or address had as many uploads on their way as the route allows.",
           "Raise uploads_max of the route if so many are right."}},
    entry{error_reason::connection_limit,
          {"The address had as many connections open as one may have.",
           "Raise connections.per_address_max, or trust the proxy they all come through."}},
    entry{error_reason::banned,
          {"The client's address is banned.",
           "relaisctl bans list says by whom, why and until when; bans lift ends it."}},
};

/// What services do.
constexpr std::array of_services{
    entry{error_reason::no_healthy_upstream,
          {"No instance of the service could be reached.",
           "Look at the service's instances above: are they up, and does /readyz say yes?"}},
    entry{error_reason::upstream_overflow,
          {"As many requests waited for the service as may.",
           "The service is too slow or has too few instances for what is asked of it."}},
    entry{error_reason::queue_timeout,
          {"The request waited too long for its turn.",
           "The service is too slow or has too few instances for what is asked of it."}},
    entry{error_reason::circuit_open,
          {"The service failed so often that it is left alone for a moment.",
           "Look at why it fails: its log, and the requests before this one."}},
    entry{error_reason::connect_timeout,
          {"An instance did not accept the connection in time.",
           "A network that drops packets, or an instance whose accept queue is full."}},
    entry{error_reason::connect_refused,
          {"Nobody listened at the instance's address.",
           "It is restarting, or the address is not the right one."}},
    entry{error_reason::upstream_timeout,
          {"The service did not answer within the route's deadline.",
           "Follow the trace id into the service; raise deadline_ms if it may take that long."}},
    entry{error_reason::upstream_reset,
          {"The instance broke the connection instead of answering.",
           "Look for a crash or a restart of that instance at this moment."}},
    entry{error_reason::upstream_truncated,
          {"The instance's answer ended before its end.",
           "Look for a crash or a restart of that instance at this moment."}},
    entry{error_reason::upstream_protocol_error,
          {"What the instance answered was not HTTP that may be passed on.",
           "Ask the instance directly; its framing or its fields are wrong."}},
    entry{error_reason::upstream_error,
          {"The service answered with an error, which the route turns into another.",
           "Follow the trace id into the service."}},
    entry{error_reason::upgrade_failed,
          {"The service did not switch to the protocol that the client wants.",
           "Does the service speak WebSocket at this path?"}},
};

/// What the gateway does.
constexpr std::array of_us{
    entry{error_reason::idle_timeout,
          {"Nothing went through for too long.",
           "Let one of the two sides send something now and then."}},
    entry{
        error_reason::deadline_exceeded,
        {"The request's own deadline had passed.", "The caller gives less time than this takes."}},
    entry{error_reason::timeout, {"It took too long.", "See the phases for where the time went."}},
    entry{error_reason::unavailable,
          {"It could not be served at the moment.", "See the detail; coming again may help."}},
    entry{error_reason::overloaded,
          {"The gateway had more to do than it can.",
           "More instances of the gateway, or more loops (RELAIS_LOOPS)."}},
    entry{error_reason::draining,
          {"This gateway was about to stop.",
           "The client may ask again at once; does the load balancer look at /readyz?"}},
    entry{error_reason::maintenance,
          {"The route is in maintenance.", "Take the maintenance out of the routes file."}},
    entry{error_reason::loop_detected,
          {"The request had come through this gateway before.",
           "An upstream's URL leads back to the gateway."}},
    entry{error_reason::internal,
          {"The gateway failed in a way that nobody foresaw.",
           "Look at the log lines with this trace id, and report it."}},
};

constexpr reason_text nothing{"", ""};

const reason_text* find_in(std::span<const entry> some, error_reason reason) {
    const auto found = std::ranges::find(some, reason, &entry::reason);
    return found == some.end() ? nullptr : &found->text;
}

static_assert(of_clients.size() + of_services.size() + of_us.size() + 1 == error_reason_count);

} // namespace

const reason_text& text_of(error_reason reason) {
    for (const auto some : {std::span<const entry>(of_clients), std::span<const entry>(of_services),
                            std::span<const entry>(of_us)}) {
        if (const auto* const found = find_in(some, reason)) {
            return *found;
        }
    }
    return nothing;
}

} // namespace relais::gateway
