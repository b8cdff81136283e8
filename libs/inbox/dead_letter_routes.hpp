#pragma once

#include "http/router.hpp"
#include "log/logger.hpp"
#include "postgres/pool.hpp"

#include <vector>

namespace relais::inbox {

/// Dead letters on a service's admin listener (host::process::add_admin_routes); what came through
/// the gateway is refused. What the routes use must outlive the listener.
///
///   GET  /dead-letters           ?topic= &reason= &fingerprint= &settled=true &limit=
///   GET  /dead-letters/groups    ?topic= &reason=
///   GET  /dead-letters/audit     ?letter= &limit=
///   GET  /dead-letters/{id}
///   POST /dead-letters/redrive   ?all=true or ?topic= &reason= &fingerprint=; &quarantined=true
///                                &limit= (≤ 1000 letters a request) &rate= (letters a second, 50)
///   POST /dead-letters/{id}/redrive
///   POST /dead-letters/{id}/edit      the message as JSON in the body
///   POST /dead-letters/{id}/discard
///
/// A POST names who and why (&by= &why=), and does what it says only with &yes=true; else it
/// answers what it would do.
std::vector<http::route> dead_letter_routes(pg::pool& database, const clock& time,
                                            log::logger logger);

} // namespace relais::inbox
