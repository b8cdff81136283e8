#include "gateway/tls/client_authorities.hpp"

#include "ids/encoding.hpp"

namespace relais::gateway {

result<std::shared_ptr<const client_authorities>>
read_client_authorities(const tls_server_settings& settings) {
    auto out = std::make_shared<client_authorities>();
    std::string context(settings.client_certificates == client_certificates::off ? "off"
                        : settings.client_certificates == client_certificates::optional
                            ? "optional"
                            : "required");
    if (settings.client_certificates != client_certificates::off) {
        if (settings.client_ca_file.empty()) {
            return fail(error_kind::invalid, "no-client-authorities",
                        "client certificates are asked for, but there is no CA file");
        }
        const auto text = read_small_file(settings.client_ca_file);
        auto trust = read_trust(settings.client_ca_file);
        auto announced = read_certificates(settings.client_ca_file);
        if (!text || !trust || !announced) {
            return std::unexpected(!text    ? text.error()
                                   : !trust ? trust.error()
                                            : announced.error());
        }
        out->trust = std::move(*trust);
        out->announced = std::move(*announced);
        context += *text;
    }
    out->session_context = sha256(as_bytes(context));
    return out;
}

} // namespace relais::gateway
