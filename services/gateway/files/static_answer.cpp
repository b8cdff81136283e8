#include "gateway/files/static_answer.hpp"

#include "gateway/files/file_conditions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::gateway {
namespace {

const file_form& choose_form(const shelf_file& file, const http::request_head& asked) {
    const auto& plain = file.forms.front();
    if (file.codings.empty()) {
        return plain;
    }
    const auto best = accepted_codings::of(asked).best(file.codings);
    return *std::ranges::find(file.forms, best, &file_form::coded);
}

int status_of(file_outcome what) {
    switch (what) {
    case file_outcome::part:
        return 206;
    case file_outcome::not_modified:
        return 304;
    case file_outcome::precondition_failed:
        return 412;
    case file_outcome::unsatisfiable:
        return 416;
    case file_outcome::whole:
        break;
    }
    return 200;
}

} // namespace

void static_answer::end() {
    body_.end();
    file_.reset();
}

void static_answer::redirect(const http::request_head& asked, answer_head& to) {
    text_.assign(asked.path).append("/");
    if (asked.has_query) {
        text_.append("?").append(asked.query);
    }
    to.status = 301;
    to.fields.push_back({"Location", text_});
    to.content_length = 0;
}

void static_answer::write_part(const byte_range& part, std::uint64_t bytes, answer_head& to) {
    text_ = part.count == 0
                ? fmt::format("bytes */{}", bytes)
                : fmt::format("bytes {}-{}/{}", part.first, part.first + part.count - 1, bytes);
    to.fields.push_back({"Content-Range", text_});
    to.content_length = part.count;
}

bool static_answer::begin(const static_rules& rules, const file_shelf::found& found,
                          const http::request_head& asked, file_shelf& shelf, answer_head& to) {
    file_ = found.what;
    to.has_body = false;
    if (file_->what == shelf_file::kind::redirect) {
        redirect(asked, to);
        return true;
    }
    const auto& form = choose_form(*file_, asked);
    const bool is_get = asked.method == "GET";
    file_judgement judged;
    if (!found.missing) {
        judged =
            judge(file_conditions::of(asked), {form.etag, file_->modified, form.bytes}, is_get);
    }
    to.status = found.missing ? 404 : status_of(judged.what);
    if (!file_->codings.empty()) {
        to.fields.push_back({"Vary", "Accept-Encoding"});
    }
    if (!rules.cache_control.empty() && to.status < 400) {
        to.fields.push_back({"Cache-Control", rules.cache_control});
    }
    if (!found.missing) {
        to.fields.push_back({"ETag", form.etag});
        to.fields.push_back({"Last-Modified", file_->modified_text});
        to.fields.push_back({"Accept-Ranges", "bytes"});
    }
    byte_range part{0, form.bytes};
    to.content_length = form.bytes;
    switch (judged.what) {
    case file_outcome::not_modified:
        to.content_length.reset();
        return true;
    case file_outcome::precondition_failed:
        to.content_length = 0;
        return true;
    case file_outcome::unsatisfiable:
        write_part({}, form.bytes, to);
        return true;
    case file_outcome::part:
        part = judged.part;
        write_part(part, form.bytes, to);
        break;
    case file_outcome::whole:
        break;
    }
    to.fields.push_back({"Content-Type", file_->type});
    if (form.coded != coding::identity) {
        to.fields.push_back({"Content-Encoding", to_string(form.coded)});
    }
    to.has_body = is_get && part.count > 0;
    if (to.has_body && form.is_held()) {
        body_.begin(std::string_view(form.content).substr(part.first, part.count), file_);
    } else if (to.has_body) {
        auto opened = shelf.open(rules, form, std::chrono::steady_clock::now());
        if (!opened) {
            return false;
        }
        body_.begin(std::move(opened), part.first, part.count);
    }
    return true;
}

} // namespace relais::gateway
