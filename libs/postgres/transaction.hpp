#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"
#include "result/result.hpp"

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::pg {

/// One parameter of a statement, as PostgreSQL's text form; nullopt is NULL.
class parameter {
public:
    parameter(std::nullopt_t) {}

    parameter(std::string text) : text_(std::move(text)) {}

    parameter(std::string_view text) : text_(std::string(text)) {}

    parameter(const char* text) : text_(std::string(text)) {}

    parameter(bool flag) : text_(flag ? "t" : "f") {}

    parameter(double number);
    parameter(timestamp time);

    parameter(const uuid& value) : text_(value.text()) {}

    template <class Tag>
    parameter(const id<Tag>& value) : text_(value.text()) {}

    template <std::integral Integer>
        requires(!std::same_as<Integer, bool>)
    parameter(Integer number) : text_(std::to_string(number)) {}

    template <class T>
    parameter(const std::optional<T>& value) {
        if (value) {
            *this = parameter(*value);
        }
    }

    /// For bytea columns.
    static parameter bytes(std::span<const std::uint8_t> value);
    static parameter bytes(std::string_view value);
    /// For array columns (`= any($1)`, unnest): text[], bigint[] … by the statement's cast.
    static parameter array(const std::vector<std::string>& values);

    const std::optional<std::string>& text() const {
        return text_;
    }

private:
    std::optional<std::string> text_;
};

namespace detail {
struct rows_state;
struct transaction_state;
} // namespace detail

/// One row of an answer; valid while its rows live. Columns count from 0, in the order of the
/// SELECT. Asking for a column that does not exist, or for a NULL with a getter that is not
/// optional_…, is a bug (throws std::logic_error).
class row {
public:
    bool is_null(int column) const;
    std::string_view view(int column) const;
    std::string text(int column) const;
    std::int64_t integer(int column) const;
    double number(int column) const;
    bool boolean(int column) const;
    timestamp time(int column) const;
    uuid uuid_at(int column) const;
    std::string bytes(int column) const; ///< decoded bytea
    std::optional<std::string> optional_text(int column) const;
    std::optional<std::int64_t> optional_integer(int column) const;
    std::optional<timestamp> optional_time(int column) const;

    template <class Id>
    Id id_at(int column) const {
        return Id(uuid_at(column));
    }

private:
    friend class rows;

    row(const detail::rows_state& all, int index) : all_(&all), index_(index) {}

    const detail::rows_state* all_;
    int index_;
};

/// The answer to a statement.
class rows {
public:
    explicit rows(std::shared_ptr<const detail::rows_state> state) : state_(std::move(state)) {}

    std::size_t size() const;
    bool empty() const;
    row operator[](std::size_t index) const;
    row front() const;
    /// How many rows an INSERT, UPDATE or DELETE changed.
    std::size_t affected() const;

    class iterator {
    public:
        iterator(const rows* all, std::size_t index) : all_(all), index_(index) {}

        row operator*() const {
            return (*all_)[index_];
        }

        iterator& operator++() {
            ++index_;
            return *this;
        }

        friend bool operator==(const iterator&, const iterator&) = default;

    private:
        const rows* all_;
        std::size_t index_;
    };

    iterator begin() const {
        return {this, 0};
    }

    iterator end() const {
        return {this, size()};
    }

private:
    std::shared_ptr<const detail::rows_state> state_; // rows may be copied; the answer is immutable
};

/// Thrown by exec() when PostgreSQL refuses a statement or the connection is lost. Only
/// pool::transact and its siblings catch it; they turn it into an error (classify()). Code inside a
/// transaction lets it pass, so that it reads like prose.
class failure : public std::exception {
public:
    failure(error reason, std::string sqlstate, std::string constraint);
    const char* what() const noexcept override;

    const error& reason() const {
        return reason_;
    }

    const std::string& sqlstate() const {
        return sqlstate_;
    }

    /// The violated constraint's name, or empty.
    const std::string& constraint() const {
        return constraint_;
    }

private:
    error reason_;
    std::string sqlstate_;
    std::string constraint_;
};

/// An open transaction, used on a database thread by one function. Statements are prepared on first
/// use and kept per connection (the SQL text is the key, so pass literals).
class transaction {
public:
    explicit transaction(detail::transaction_state& state) : state_(&state) {}

    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;

    /// Throws pg::failure.
    rows exec(std::string_view sql, std::initializer_list<parameter> parameters = {});
    rows exec(std::string_view sql, const std::vector<parameter>& parameters);

    /// Several statements separated by semicolons, without parameters (migrations).
    void exec_script(std::string_view sql);

    /// From now on is told of each statement that changed rows, and how many. For what shows what a
    /// transaction does.
    void watch_changes(std::function<void(std::string_view sql, std::size_t rows)> told);

    /// Runs after COMMIT succeeded, on the database thread; must not throw or block. For wake-ups.
    void after_commit(std::function<void()> action);

private:
    detail::transaction_state* state_;
};

/// Class of a SQLSTATE (PostgreSQL appendix A): 23505 → conflict, 40001/40P01 → unavailable
/// ("serialization"), 57014 → timeout, 08*, 57P0* → unavailable, 53300 → unavailable …
error classify(std::string_view sqlstate, std::string_view message);

} // namespace relais::pg
