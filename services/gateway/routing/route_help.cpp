#include "gateway/routing/route_help.hpp"

#include "gateway/routing/route_form.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <iterator>
#include <map>
#include <relais/edge/v1/routes.pb.h>
#include <set>
#include <utility>
#include <vector>

namespace pb = google::protobuf;

namespace relais::gateway {
namespace {

/// Of a declaration in its file (descriptor.proto, SourceCodeInfo).
using path = std::vector<int>;

/// Comments by file and declaration: the form imports others, where the same paths mean something
/// else.
using comments_by_place = std::map<std::pair<std::string, path>, std::string>;

comments_by_place comments_in(std::string_view form) {
    pb::FileDescriptorSet files;
    files.ParseFromString(std::string(form));
    comments_by_place out;
    for (const auto& file : files.file()) {
        for (const auto& place : file.source_code_info().location()) {
            auto& comment = out[{file.name(), path(place.path().begin(), place.path().end())}];
            comment = place.leading_comments() + place.trailing_comments();
        }
    }
    return out;
}

path path_of(const pb::Descriptor& type) {
    if (type.containing_type() == nullptr) {
        return {pb::FileDescriptorProto::kMessageTypeFieldNumber, type.index()};
    }
    auto out = path_of(*type.containing_type());
    out.insert(out.end(), {pb::DescriptorProto::kNestedTypeFieldNumber, type.index()});
    return out;
}

path path_of(const pb::EnumDescriptor& type) {
    if (type.containing_type() == nullptr) {
        return {pb::FileDescriptorProto::kEnumTypeFieldNumber, type.index()};
    }
    auto out = path_of(*type.containing_type());
    out.insert(out.end(), {pb::DescriptorProto::kEnumTypeFieldNumber, type.index()});
    return out;
}

path behind(path of, int kind, int index) {
    of.insert(of.end(), {kind, index});
    return of;
}

std::string_view form_of(const pb::FieldDescriptor& field) {
    switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_STRING:
        return "text";
    case pb::FieldDescriptor::CPPTYPE_BOOL:
        return "true or false";
    case pb::FieldDescriptor::CPPTYPE_ENUM:
        return "one of the words below";
    case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return "{ … }";
    default:
        return "number";
    }
}

/// Writes the page, each message once: the first time that a field has it.
class page {
public:
    explicit page(std::string_view form) : comments_(comments_in(form)) {}

    void write(const pb::Descriptor& type, std::size_t depth) {
        for (int i = 0; i < type.field_count(); ++i) {
            if (!type.field(i)->options().deprecated()) { // refused, and the refusal says why
                write(*type.field(i), depth);
            }
        }
    }

    std::string take() {
        return std::move(out_);
    }

private:
    void write(const pb::FieldDescriptor& field, std::size_t depth) {
        fmt::format_to(std::back_inserter(out_), "{:{}}{}: {}{}\n", "", depth * 2, field.name(),
                       form_of(field), field.is_repeated() ? ", any number of times" : "");
        const auto& owner = *field.containing_type();
        comment(*field.file(),
                behind(path_of(owner), pb::DescriptorProto::kFieldFieldNumber, field.index()),
                depth);
        if (const auto* const words = field.enum_type()) {
            comment(*words->file(), path_of(*words), depth);
            write(*words, depth + 1);
        } else if (const auto* const inner = field.message_type()) {
            comment(*inner->file(), path_of(*inner), depth);
            if (written_.insert(inner).second) {
                write(*inner, depth + 1);
            }
        }
    }

    /// The word for "nothing was said" is none that anybody writes.
    void write(const pb::EnumDescriptor& type, std::size_t depth) {
        for (int i = 0; i < type.value_count(); ++i) {
            const auto& value = *type.value(i);
            if (value.number() != 0) {
                fmt::format_to(std::back_inserter(out_), "{:{}}{}\n", "", depth * 2, value.name());
                comment(*type.file(),
                        behind(path_of(type), pb::EnumDescriptorProto::kValueFieldNumber, i),
                        depth);
            }
        }
    }

    void comment(const pb::FileDescriptor& in, const path& of, std::size_t depth) {
        const auto found = comments_.find({std::string(in.name()), of});
        std::string_view rest = found == comments_.end() ? std::string_view() : found->second;
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            fmt::format_to(std::back_inserter(out_), "{:{}}{}\n", "", depth * 2 + 5,
                           rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
    }

    comments_by_place comments_;
    std::set<const pb::Descriptor*> written_;
    std::string out_;
};

} // namespace

std::string route_help() {
    const auto& form = *edge::v1::RouteTable::descriptor();
    page made(route_form());
    made.write(form, 1);
    return fmt::format("The routes file (RELAIS_ROUTES_FILE): protobuf's text form of {}.\n\n",
                       std::string(form.full_name())) +
           made.take();
}

} // namespace relais::gateway
