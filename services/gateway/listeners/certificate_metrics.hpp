#pragma once

#include "gateway/listeners/listener_set.hpp"
#include "metrics/registry.hpp"

namespace relais::gateway {

/// When certificates end: gateway_certificate_expiry_timestamp_seconds{listener,file}, only of
/// those in force. The page has to be made on the control thread.
class certificate_metrics final : public metrics::collectable {
public:
    /// `of` and `metrics` must outlive this.
    certificate_metrics(const listener_set& of, metrics::registry& metrics);
    ~certificate_metrics() override;
    certificate_metrics(const certificate_metrics&) = delete;
    certificate_metrics& operator=(const certificate_metrics&) = delete;

    void collect(metrics::samples& into) const override;

private:
    const listener_set& of_;
    metrics::registry& metrics_;
};

} // namespace relais::gateway
