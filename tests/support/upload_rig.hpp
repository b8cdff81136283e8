#pragma once

#include "http/client.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/s3.hpp"
#include "support/shifted_clock.hpp"
#include "support/upload_pictures.hpp"
#include "timers/runner.hpp"
#include "upload/handlers/handlers.hpp"
#include "upload/pipeline/expiry.hpp"
#include "upload/pipeline/pipeline.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace relais::test {

struct rig_options {
    std::string database_url; ///< empty: a fresh database
    std::string worker = program("relais-upload-worker");
    std::string s3_endpoint; ///< empty: the real one
    std::chrono::milliseconds worker_timeout{20'000};
    std::size_t open_uploads_max = 20;
    std::string staging = "relais-test-staging";
    bool works = true; ///< false: handlers only, somebody else does the work
};

/// The upload service without a network around it: handlers and pipeline on a real PostgreSQL and a
/// real object store.
class upload_rig {
public:
    explicit upload_rig(rig_options how = {});
    ~upload_rig();
    upload_rig(const upload_rig&) = delete;
    upload_rig& operator=(const upload_rig&) = delete;

    using handler = upload::answer (*)(upload::dependencies&, const http::request&);

    /// A request of the account; problems become responses as the server makes them.
    http::response call(handler handle, const std::string& body, const std::string& upload_id = "",
                        const std::string& idempotency_key = "");
    http::response call_as(account_id who, handler handle, const std::string& body,
                           const std::string& upload_id = "",
                           const std::string& idempotency_key = "");

    /// 201 or the test fails.
    boost::json::object grant(const std::string& picture, const std::string& content_type,
                              const std::string& purpose = "avatar");

    /// Sends with what the grant says, changed by `change`; returns the status.
    int put(const boost::json::object& grant, const std::string& content,
            const std::function<void(http::client::call&)>& change = {});
    /// As a browser's form; `change` sees the fields before they are sent.
    int post(const boost::json::object& grant, const std::string& content,
             const std::function<void(boost::json::object& fields)>& change = {});

    void complete(const std::string& upload_id);
    void tell_object(const std::string& object_key);

    /// Runs the loop until the query's first value is this; fails after a minute.
    void wait_for(const std::string& sql, const std::string& value);
    void wait_for_state(const std::string& upload_id, const std::string& state);
    /// Until nothing is to be done any more.
    void wait_until_idle();

    /// Runs the loop for a moment, to let several rigs go on in turn.
    void turn();

    std::string state(const std::string& upload_id) const;
    std::string reason(const std::string& upload_id) const;
    /// How many events of that message (without package) lie in the outbox.
    std::string events(const std::string& message) const;

    std::optional<test::database> own_database;
    std::string database_url;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    log::logger logger;
    shifted_clock time;
    account_id account = account_id::make();
    std::string staging;
    std::string event_token = "object-event-token"; ///< that requests of tell_object() carry
    std::string media = s3_bucket("relais-test-media");
    pg::pool database;
    objectstore::store objects; ///< the real one, for the test's own use

private:
    void run_until(const std::function<bool()>& done);

    objectstore::store service_objects_;
    async::worker_pool hashing_;
    upload::picture_workers pictures_;
    upload::verifier verifier_;
    upload::pipeline pipeline_;
    timers::runner timers_;
    async::task_group tasks_;
    upload::dependencies handlers_;
    http::client client_;
};

} // namespace relais::test
