#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::metrics {

using labels = std::map<std::string, std::string>;

/// Takes figures while a page is made. A series that is already there, the registry's own or
/// another source's, is added up with what comes. Names and help texts follow the registry's rules;
/// a family keeps the help text it was first given.
class samples {
public:
    virtual ~samples() = default;

    virtual void counter(std::string_view name, std::string_view help, const labels& of,
                         double value) = 0;
    virtual void gauge(std::string_view name, std::string_view help, const labels& of,
                       double value) = 0;

    /// `counts` has one entry per bound and one for what is above the last; not cumulative. A
    /// family has one set of bounds (else it is a bug). `sum` is in the unit of the bounds.
    virtual void histogram(std::string_view name, std::string_view help,
                           const std::vector<double>& bounds, const labels& of,
                           std::span<const std::uint64_t> counts, double sum) = 0;

protected:
    samples() = default;
    samples(const samples&) = default;
    samples& operator=(const samples&) = default;
};

/// Keeps figures of its own, where a series of the registry would cost too much (its mutex), and
/// tells them when a page is made.
class collectable {
public:
    virtual ~collectable() = default;

    /// On the thread that makes the page, at any time; must not use the registry.
    virtual void collect(samples& into) const = 0;

protected:
    collectable() = default;
    collectable(const collectable&) = default;
    collectable& operator=(const collectable&) = default;
};

} // namespace relais::metrics
