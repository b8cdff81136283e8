#include "support/upload_rig.hpp"

#include <boost/asio/post.hpp>

namespace relais::test {
namespace {

constexpr std::chrono::seconds patience{60};

pg::pool_settings pool_of(const std::string& url) {
    pg::pool_settings out;
    out.url = url;
    out.application_name = "test";
    return out;
}

objectstore::store_settings service_store(const rig_options& how) {
    auto out = s3_settings();
    out.deadline = std::chrono::milliseconds(3'000);
    if (!how.s3_endpoint.empty()) {
        out.endpoint_url = how.s3_endpoint;
    }
    return out;
}

upload::pipeline_settings quick_pipeline() {
    upload::pipeline_settings out;
    out.look_every = std::chrono::milliseconds(100);
    out.first_pause = std::chrono::milliseconds(50);
    out.longest_pause = std::chrono::milliseconds(200);
    return out;
}

std::string text(const boost::json::value& value) {
    return std::string(value.as_string());
}

} // namespace

upload_rig::upload_rig(rig_options how)
    : database_url(how.database_url.empty()
                       ? own_database.emplace(std::vector<std::string>{"upload"}).url()
                       : how.database_url),
      staging(s3_bucket(how.staging)), database(pool_of(database_url), metrics, logger),
      objects(s3_settings(), time, loop, metrics),
      service_objects_(service_store(how), time, loop, metrics), hashing_({"hashing", 1}, metrics),
      pictures_({how.worker, how.worker_timeout}, loop, metrics, logger),
      verifier_({database,
                 service_objects_,
                 pictures_,
                 hashing_,
                 time,
                 metrics,
                 logger,
                 {staging, media}}),
      pipeline_(quick_pipeline(), verifier_, database, time, loop, metrics, logger),
      timers_(database, time, loop, metrics, logger),
      tasks_(loop, [](const std::string& name,
                      const std::string& what) { FAIL_CHECK(name << ": " << what); }),
      handlers_{database,
                time,
                metrics,
                s3_settings().credentials,
                s3_settings().endpoint_url,
                objectstore::split_endpoint(s3_settings().endpoint_url),
                staging,
                "https://media.example",
                config::secret("object-event-token"),
                std::chrono::seconds(60),
                how.open_uploads_max,
                pipeline_.waker()},
      client_({s3_settings().endpoint_url, "s3"}, loop, metrics) {
    timers_.on(upload::expiry_timer_kind, upload::on_expiry(pipeline_.waker()));
    if (how.works) {
        tasks_.spawn("timers", timers_.run());
        pipeline_.start();
    }
}

upload_rig::~upload_rig() {
    await_on(loop, pipeline_.stop());
    tasks_.cancel();
    await_on(loop, tasks_.join());
    pictures_.stop();
    database.stop();
    loop.restart();
    loop.poll();
}

http::response upload_rig::call(handler handle, const std::string& body,
                                const std::string& upload_id, const std::string& idempotency_key) {
    return call_as(account, handle, body, upload_id, idempotency_key);
}

http::response upload_rig::call_as(account_id who, handler handle, const std::string& body,
                                   const std::string& upload_id,
                                   const std::string& idempotency_key) {
    http::request request;
    request.method = "POST";
    request.path = request.route = "/v1/uploads";
    request.body = body;
    request.request_id = "test";
    request.query = "token=" + event_token;
    request.trace = trace::context::start();
    request.deadline = std::chrono::steady_clock::now() + patience;
    request.caller = http::identity{who, "session", {}, {}};
    request.path_parameters["id"] = upload_id;
    if (!idempotency_key.empty()) {
        request.headers.set("Idempotency-Key", idempotency_key);
    }
    const auto answered = await_on(loop, handle(handlers_, request));
    return answered ? *answered : http::problem(answered.error(), &request);
}

boost::json::object upload_rig::grant(const std::string& picture, const std::string& content_type,
                                      const std::string& purpose) {
    const auto answer =
        call(upload::create_upload,
             fmt::format(R"({{"purpose":"{}","content_type":"{}","size_bytes":{}}})", purpose,
                         content_type, picture.size()));
    INFO(answer.body);
    REQUIRE(answer.status == 201);
    return boost::json::parse(answer.body).as_object();
}

int upload_rig::put(const boost::json::object& grant, const std::string& content,
                    const std::function<void(http::client::call&)>& change) {
    const auto& how = grant.at("put").as_object();
    http::client::call call;
    call.method = text(how.at("method"));
    call.target = text(how.at("url")).substr(s3_settings().endpoint_url.size());
    call.body = content;
    for (const auto& [name, value] : how.at("headers").as_object()) {
        if (name != "content-length") { // the client sets the true one, as a browser does
            call.headers.set(std::string(name), text(value));
        }
    }
    if (change) {
        change(call);
    }
    const auto answer = await_on(loop, client_.send(call));
    REQUIRE(answer);
    return answer->status;
}

int upload_rig::post(const boost::json::object& grant, const std::string& content,
                     const std::function<void(boost::json::object&)>& change) {
    const auto& how = grant.at("post").as_object();
    auto fields = how.at("fields").as_object();
    if (change) {
        change(fields);
    }
    const std::string boundary = "----" + make_uuid_v7().text();
    http::client::call call;
    for (const auto& [name, value] : fields) {
        call.body +=
            fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n",
                        boundary, std::string_view(name), text(value));
    }
    call.body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"file\"; "
                             "filename=\"x\"\r\n\r\n{}\r\n--{}--\r\n",
                             boundary, content, boundary);
    call.method = "POST";
    call.target = text(how.at("url")).substr(s3_settings().endpoint_url.size());
    call.headers.set("Content-Type", "multipart/form-data; boundary=" + boundary);
    const auto answer = await_on(loop, client_.send(call));
    REQUIRE(answer);
    return answer->status;
}

void upload_rig::complete(const std::string& upload_id) {
    const auto answer = call(upload::complete_upload, "", upload_id);
    INFO(answer.body);
    REQUIRE(answer.status == 202);
}

void upload_rig::tell_object(const std::string& object_key) {
    const auto answer = call(
        upload::note_objects,
        fmt::format(R"({{"Records":[{{"eventSource":"ceph:s3","eventName":"ObjectCreated:Put",)"
                    R"("s3":{{"bucket":{{"name":"{}"}},"object":{{"key":"{}"}}}}}}]}})",
                    staging, object_key));
    INFO(answer.body);
    REQUIRE(answer.status == 204);
}

void upload_rig::run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        REQUIRE(std::chrono::steady_clock::now() < until);
        turn();
    }
}

void upload_rig::turn() {
    loop.restart();
    loop.run_for(std::chrono::milliseconds(20));
}

void upload_rig::wait_for(const std::string& sql, const std::string& value) {
    std::string last;
    INFO(sql);
    run_until([&] {
        const auto rows = test::query(database_url, sql);
        last = rows.empty() ? "" : rows.front().front();
        return last == value;
    });
}

void upload_rig::wait_for_state(const std::string& upload_id, const std::string& state) {
    wait_for("SELECT state FROM upload WHERE id = '" + upload_id + "'", state);
}

void upload_rig::wait_until_idle() {
    wait_for("SELECT count(*) FROM upload_work", "0");
}

std::string upload_rig::state(const std::string& upload_id) const {
    return test::query(database_url, "SELECT state FROM upload WHERE id = '" + upload_id + "'")
        .at(0)
        .at(0);
}

std::string upload_rig::reason(const std::string& upload_id) const {
    return test::query(database_url, "SELECT reason FROM upload WHERE id = '" + upload_id + "'")
        .at(0)
        .at(0);
}

std::string upload_rig::events(const std::string& message) const {
    return test::query(database_url, "SELECT count(*) FROM outbox_event WHERE "
                                     "headers->>'ce_type' = 'relais.media.v1." +
                                         message + "'")
        .at(0)
        .at(0);
}

} // namespace relais::test
