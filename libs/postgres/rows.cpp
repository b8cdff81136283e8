#include "postgres/rows_state.hpp"
#include "postgres/text_format.hpp"
#include "postgres/transaction.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace relais::pg {
namespace {

[[noreturn]] void misuse(int column, std::string_view what) {
    throw std::logic_error(fmt::format("column {} of a row {}", column, what));
}

template <class Number>
Number parse_number(std::string_view text, int column) {
    Number value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) {
        misuse(column, "is not a number");
    }
    return value;
}

pqxx::field field_of(const detail::rows_state& all, int index, int column) {
    if (column < 0 || column >= all.answer.columns()) {
        misuse(column, "does not exist");
    }
    return all.answer[index][column];
}

} // namespace

bool row::is_null(int column) const {
    return field_of(*all_, index_, column).is_null();
}

std::string_view row::view(int column) const {
    const auto field = field_of(*all_, index_, column);
    if (field.is_null()) {
        misuse(column, "is null");
    }
    return {field.c_str(), field.size()}; // points into the answer, not into the field
}

std::string row::text(int column) const {
    return std::string(view(column));
}

std::int64_t row::integer(int column) const {
    return parse_number<std::int64_t>(view(column), column);
}

double row::number(int column) const {
    return parse_number<double>(view(column), column);
}

bool row::boolean(int column) const {
    const auto value = view(column);
    if (value != "t" && value != "f") {
        misuse(column, "is not a boolean");
    }
    return value == "t";
}

timestamp row::time(int column) const {
    const auto value = parse_timestamptz(view(column));
    if (!value) {
        misuse(column, "is not a timestamptz");
    }
    return *value;
}

uuid row::uuid_at(int column) const {
    const auto value = uuid::parse(view(column));
    if (!value) {
        misuse(column, "is not a uuid");
    }
    return *value;
}

std::string row::bytes(int column) const {
    auto value = parse_bytea(view(column));
    if (!value) {
        misuse(column, "is not a bytea");
    }
    return std::move(*value);
}

std::optional<std::string> row::optional_text(int column) const {
    return is_null(column) ? std::nullopt : std::optional(text(column));
}

std::optional<std::int64_t> row::optional_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<timestamp> row::optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
}

std::size_t rows::size() const {
    return static_cast<std::size_t>(state_->answer.size());
}

bool rows::empty() const {
    return size() == 0;
}

row rows::operator[](std::size_t index) const {
    if (index >= size()) {
        throw std::logic_error(fmt::format("row {} of an answer of {}", index, size()));
    }
    return {*state_, static_cast<int>(index)};
}

row rows::front() const {
    return (*this)[0];
}

std::size_t rows::affected() const {
    return static_cast<std::size_t>(state_->answer.affected_rows());
}

} // namespace relais::pg
