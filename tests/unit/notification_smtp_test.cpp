#include "notification/channels/base64.hpp"
#include "notification/channels/mime.hpp"
#include "notification/channels/smtp_session.hpp"

#include <catch2/catch_test_macros.hpp>

#include <curl/curl.h>
#include <vector>

using namespace relais;
using namespace relais::notification;

TEST_CASE("quoted-printable", "[notification]") {
    struct row {
        std::string text;
        std::string expected;
    };

    const std::vector<row> table{
        {"plain text", "plain text"},
        {"a=b", "a=3Db"},
        {"é", "=C3=A9"},
        {"one\ntwo\r\nthree", "one\r\ntwo\r\nthree"},
        {"blank \nend\t", "blank=20\r\nend=09"},
        {".\n..", "=2E\r\n=2E."},
        {std::string(80, 'x'), std::string(75, 'x') + "=\r\n" + std::string(5, 'x')},
    };
    for (const auto& expected : table) {
        CHECK(to_quoted_printable(expected.text) == expected.expected);
    }
}

TEST_CASE("headers beyond ASCII", "[notification]") {
    CHECK(to_encoded_words("Hello") == "Hello");
    CHECK(to_encoded_words("Prêt") == "=?UTF-8?B?UHLDqnQ=?=");
    std::string euros;
    for (int i = 0; i < 40; ++i) {
        euros += "€";
    }
    const auto words = to_encoded_words(euros); // 120 bytes: three words, no character cut
    std::string joined;
    std::size_t place = 0;
    while ((place = words.find("?B?", place)) != std::string::npos) {
        const auto piece =
            from_base64(words.substr(place + 3, words.find("?=", place) - place - 3));
        CHECK(piece.size() % 3 == 0);
        joined += piece;
        place += 3;
    }
    CHECK(joined == euros);
}

TEST_CASE("a mail as it goes over SMTP", "[notification]") {
    outgoing message;
    message.id = *delivery_id::parse("0190f0b0-0000-7000-8000-000000000001");
    message.made_at = timestamp(std::chrono::seconds(1'795'416'404)); // 2026-11-23T06:46:44Z
    message.content =
        outgoing_mail{{"Élise", "elise@example.org"}, "fr", {"Prêt", "<p>à</p>", "à"}};
    CHECK(to_mime(message, {"Relais, \"us\"", "no-reply@relais.example"}) ==
          "Date: Mon, 23 Nov 2026 06:46:44 +0000\r\n"
          "From: \"Relais, \\\"us\\\"\" <no-reply@relais.example>\r\n"
          "To: =?UTF-8?B?w4lsaXNl?= <elise@example.org>\r\n"
          "Message-ID: <0190f0b0-0000-7000-8000-000000000001@relais.example>\r\n"
          "Subject: =?UTF-8?B?UHLDqnQ=?=\r\n"
          "Auto-Submitted: auto-generated\r\n"
          "Content-Language: fr\r\n"
          "X-MJ-CustomID: 0190f0b0-0000-7000-8000-000000000001\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: multipart/alternative; "
          "boundary=\"=_0190f0b0-0000-7000-8000-000000000001\"\r\n\r\n"
          "--=_0190f0b0-0000-7000-8000-000000000001\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A0\r\n"
          "--=_0190f0b0-0000-7000-8000-000000000001\r\n"
          "Content-Type: text/html; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=A0</p>\r\n"
          "--=_0190f0b0-0000-7000-8000-000000000001--\r\n");
}

TEST_CASE("how an SMTP session ended", "[notification]") {
    struct row {
        smtp_end ended;
        send_result expected;
    };

    const std::vector<row> table{
        {{CURLE_OK, 250, true}, send_result::accepted},
        {{CURLE_COULDNT_CONNECT, 0, false}, send_result::not_sent},
        {{CURLE_COULDNT_RESOLVE_HOST, 0, false}, send_result::not_sent},
        {{CURLE_OPERATION_TIMEDOUT, 220, false}, send_result::not_sent},
        {{CURLE_USE_SSL_FAILED, 250, false}, send_result::channel_refused},
        {{CURLE_PEER_FAILED_VERIFICATION, 220, false}, send_result::channel_refused},
        {{CURLE_LOGIN_DENIED, 535, false}, send_result::channel_refused},
        {{CURLE_SEND_ERROR, 550, false}, send_result::refused},
        {{CURLE_SEND_ERROR, 530, false}, send_result::channel_refused},
        {{CURLE_SEND_ERROR, 451, false}, send_result::provider_error},
        {{CURLE_WEIRD_SERVER_REPLY, 421, false}, send_result::throttled},
        {{CURLE_WEIRD_SERVER_REPLY, 554, true}, send_result::refused},
        {{CURLE_WEIRD_SERVER_REPLY, 452, true}, send_result::provider_error},
        {{CURLE_SEND_ERROR, 354, false}, send_result::not_sent},
        {{CURLE_RECV_ERROR, 354, true}, send_result::ambiguous},
        {{CURLE_OPERATION_TIMEDOUT, 354, true}, send_result::ambiguous},
        {{CURLE_WEIRD_SERVER_REPLY, 0, true}, send_result::ambiguous},
    };
    for (const auto& expected : table) {
        CAPTURE(expected.ended.curl_code, expected.ended.reply, expected.ended.message_read);
        CHECK(classify(expected.ended).result == expected.expected);
    }
}
