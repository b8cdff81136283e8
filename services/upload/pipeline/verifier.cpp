#include "upload/pipeline/verifier.hpp"

#include "ids/encoding.hpp"
#include "upload/domain/object_key.hpp"
#include "upload/pipeline/expiry.hpp"
#include "upload/store/publish.hpp"
#include "upload/store/uploads.hpp"

namespace asio = boost::asio;

namespace relais::upload {

verifier::verifier(parts with)
    : with_(std::move(with)),
      events_missed_(with_.metrics.counter(
          "upload_events_missed_total",
          "Objects found when their grant ran out, that nobody had told us of")) {
    for (const auto each : {upload_state::uploaded, upload_state::verifying, upload_state::ready,
                            upload_state::rejected, upload_state::expired}) {
        transitions_to(each); // appears with 0
    }
}

metrics::counter verifier::transitions_to(upload_state state) {
    return with_.metrics.counter("upload_transitions_total", "Uploads that came to a state",
                                 {{"state", std::string(to_string(state))}});
}

asio::awaitable<result<void>> verifier::advance(store::work_claim claim) {
    while (true) {
        auto loading = load(claim.upload);
        const auto value = co_await std::move(loading);
        if (!value) {
            co_return fail(value);
        }
        if (is_final(value->state)) {
            auto clearing = clear(*value, claim);
            co_return co_await std::move(clearing);
        }
        auto stepping = step(*value, claim.tries);
        const auto moved = co_await std::move(stepping);
        if (!moved) {
            co_return fail(moved);
        }
        if (!*moved && value->state == upload_state::granted) {
            auto dropping = drop(claim); // not there yet: whoever sends it will tell
            co_return co_await std::move(dropping);
        }
    }
}

asio::awaitable<result<bool>> verifier::step(upload_record value, int tries) {
    if (value.state == upload_state::granted) {
        return observe(std::move(value));
    }
    if (value.state == upload_state::uploaded) {
        return begin(value.id);
    }
    return verify(std::move(value), tries);
}

/// One arrow in one transaction; `body` says false when somebody was faster, which is as good.
asio::awaitable<result<bool>> verifier::change(std::string query, upload_state to, arrow body) {
    const auto work = [body = std::move(body)](pg::transaction& tx) -> result<bool> {
        return body(tx);
    };
    auto changing = with_.database.transact(std::move(query), work);
    const auto changed = co_await std::move(changing);
    if (changed && *changed) {
        transitions_to(to).increment();
    }
    co_return changed;
}

asio::awaitable<result<upload_record>> verifier::load(upload_id id) {
    const auto body = [id](pg::transaction& tx) {
        return store::find(tx, id);
    };
    auto reading = with_.database.read("load_upload", body);
    co_return co_await std::move(reading);
}

/// Whether it left the state granted. The store's HEAD decides, whoever hinted.
asio::awaitable<result<bool>> verifier::observe(upload_record value) {
    auto asking = with_.objects.head(with_.buckets.staging, value.object_key);
    const auto object = co_await std::move(asking);
    const timestamp now = with_.time.now();
    const bool absent = !object && object.error().kind == error_kind::not_found;
    if (!object && !absent) {
        co_return fail(object);
    }
    if (absent && now < value.expires_at) {
        co_return false;
    }
    if (absent) {
        auto expiring = expire(value);
        const auto expired = co_await std::move(expiring);
        co_return expired ? result<bool>(true) : fail(expired);
    }
    const auto body = [id = value.id, now](pg::transaction& tx) {
        timers::cancel(tx, expiry_timer_id(id));
        return store::mark_uploaded(tx, id, now);
    };
    auto marking = change("mark_uploaded", upload_state::uploaded, body);
    const auto marked = co_await std::move(marking);
    if (!marked) {
        co_return fail(marked);
    }
    events_missed_.increment(*marked && now >= value.expires_at ? 1 : 0);
    co_return true;
}

asio::awaitable<result<bool>> verifier::begin(upload_id id) {
    const auto body = [id, now = with_.time.now()](pg::transaction& tx) {
        return store::mark_verifying(tx, id, now);
    };
    auto marking = change("mark_verifying", upload_state::verifying, body);
    co_return co_await std::move(marking);
}

asio::awaitable<result<bool>> verifier::verify(upload_record value, int tries) {
    if (tries > with_.tries_max) {
        auto rejecting = reject(value, "processing-failed");
        co_return co_await std::move(rejecting);
    }
    auto inspecting = inspect(value);
    auto found = co_await std::move(inspecting);
    if (!found) {
        co_return fail(found);
    }
    if (!found->reason.empty()) {
        auto rejecting = reject(value, found->reason);
        co_return co_await std::move(rejecting);
    }
    auto accepting = accept(value, std::move(*found));
    co_return co_await std::move(accepting);
}

/// Reads the object, not more than its purpose allows: a store may not have enforced what we
/// signed.
asio::awaitable<result<verifier::finding>> verifier::inspect(upload_record value) {
    auto asking = with_.objects.head(with_.buckets.staging, value.object_key);
    const auto object = co_await std::move(asking);
    if (!object && object.error().kind == error_kind::not_found) {
        co_return finding{"object-missing", {}, {}};
    }
    if (!object) {
        co_return fail(object);
    }
    if (object->size_bytes > value.purpose->size_max) {
        co_return finding{"wrong-size", {}, {}};
    }
    auto getting =
        with_.objects.get(with_.buckets.staging, value.object_key, value.purpose->size_max);
    auto bytes = co_await std::move(getting);
    if (!bytes) {
        co_return fail(bytes);
    }
    auto examining = examine(value, std::move(*bytes));
    co_return co_await std::move(examining);
}

asio::awaitable<result<verifier::finding>> verifier::examine(upload_record value,
                                                             std::string bytes) {
    const auto digest = [&bytes](std::size_t) -> result<std::string> {
        return to_hex(sha256(as_bytes(bytes)));
    };
    auto hashing = with_.hashing.run(digest, pg::pool::default_deadline());
    const auto sha256_hex = co_await std::move(hashing);
    if (!sha256_hex) {
        co_return fail(sha256_hex);
    }
    const auto against = reason_against(value.file, bytes, *sha256_hex);
    if (!against.empty()) {
        co_return finding{against, *sha256_hex, {}};
    }
    picture_request request{value.purpose->recipe, std::move(bytes)};
    request.recipe.content_type = value.file.content_type;
    auto making = with_.pictures.make_variants(std::move(request));
    auto answer = co_await std::move(making);
    if (!answer) {
        co_return fail(answer);
    }
    if (!answer->reason.empty()) {
        co_return finding{answer->reason, *sha256_hex, {}};
    }
    auto keeping = keep_variants(value, *sha256_hex, std::move(answer->variants));
    auto kept = co_await std::move(keeping);
    if (!kept) {
        co_return fail(kept);
    }
    co_return finding{{}, *sha256_hex, std::move(*kept)};
}

asio::awaitable<result<std::vector<variant>>>
verifier::keep_variants(upload_record value, std::string sha256, std::vector<made_variant> made) {
    std::vector<variant> out;
    for (made_variant& each : made) {
        variant kept{each.width, each.height,
                     variant_key(sha256, value.purpose->recipe_name, each.size), each.webp.size()};
        auto putting = with_.objects.put(with_.buckets.media, kept.key, std::move(each.webp),
                                         "image/webp", true);
        const auto put = co_await std::move(putting);
        if (!put) {
            co_return fail(put);
        }
        out.push_back(std::move(kept));
    }
    co_return out;
}

asio::awaitable<result<bool>> verifier::reject(upload_record value, std::string reason) {
    const auto body = [&value, &reason, now = with_.time.now()](pg::transaction& tx) {
        if (!store::mark_rejected(tx, value.id, reason, now)) {
            return false;
        }
        store::publish_rejected(tx, value, reason, now);
        return true;
    };
    auto marking = change("mark_rejected", upload_state::rejected, body);
    const auto marked = co_await std::move(marking);
    if (marked && *marked) {
        with_.metrics
            .counter("upload_rejected_total", "Uploads that were refused", {{"reason", reason}})
            .increment();
        with_.logger.info("upload.rejected", {{"upload_id", value.id.text()}, {"reason", reason}});
    }
    co_return marked;
}

asio::awaitable<result<bool>> verifier::accept(upload_record value, finding found) {
    value.asset = asset_id::make();
    value.variants = std::move(found.variants);
    const auto body = [&value, &found, now = with_.time.now()](pg::transaction& tx) {
        if (!store::mark_ready(tx, value.id, value.asset, found.sha256, value.variants, now)) {
            return false;
        }
        store::publish_ready(tx, value, found.sha256, now);
        return true;
    };
    auto marking = change("mark_ready", upload_state::ready, body);
    const auto marked = co_await std::move(marking);
    if (marked && *marked) {
        with_.logger.info("upload.ready",
                          {{"upload_id", value.id.text()}, {"variants", value.variants.size()}});
    }
    co_return marked;
}

asio::awaitable<result<bool>> verifier::expire(upload_record value) {
    const auto body = [&value, now = with_.time.now()](pg::transaction& tx) {
        if (!store::mark_expired(tx, value.id, now)) {
            return false;
        }
        store::publish_expired(tx, value, now);
        return true;
    };
    auto marking = change("mark_expired", upload_state::expired, body);
    co_return co_await std::move(marking);
}

/// Nothing that a stranger sent stays: what is shown are the variants.
asio::awaitable<result<void>> verifier::clear(upload_record value, store::work_claim claim) {
    auto removing = with_.objects.remove(with_.buckets.staging, value.object_key);
    const auto removed = co_await std::move(removing);
    if (!removed) {
        co_return fail(removed);
    }
    auto dropping = drop(claim);
    co_return co_await std::move(dropping);
}

asio::awaitable<result<void>> verifier::drop(store::work_claim claim) {
    const auto body = [claim, now = with_.time.now()](pg::transaction& tx) -> result<void> {
        store::finish_work(tx, claim, now);
        return {};
    };
    auto finishing = with_.database.transact("finish_upload_work", body);
    co_return co_await std::move(finishing);
}

} // namespace relais::upload
