#pragma once

#include <string>
#include <vector>

// What the gate lets in and what it refuses. Every row is something a widely used parser or proxy
// gets wrong; where two read a message differently, a request can be smuggled past one of them.

namespace relais::test::gate {

struct row {
    std::string name;
    std::string request;
    std::string slug; ///< "" : accepted
};

inline std::string with(std::string fields, std::string body = "") {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

inline std::string to(std::string target, std::string method = "GET") {
    return method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

inline const std::string bad = "malformed-request";

inline const std::vector<row> framing_rows{
    {"unknown coding before a length", with("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n"),
     bad},
    {"unknown coding alone", with("Transfer-Encoding: xchunked\r\n"), "not-implemented"},
    {"identity alone", with("Transfer-Encoding: identity\r\n"), "not-implemented"},
    {"quoted coding", with("Transfer-Encoding: \"chunked\"\r\n"), "not-implemented"},
    {"chunked twice in one line", with("Transfer-Encoding: chunked, chunked\r\n"), bad},
    {"chunked not last", with("Transfer-Encoding: chunked, identity\r\n"), bad},
    {"empty list member", with("Transfer-Encoding: ,chunked\r\n"), bad},
    {"gzip before chunked", with("Transfer-Encoding: gzip, chunked\r\n"), bad},
    {"chunked with a parameter", with("Transfer-Encoding: chunked;q=1\r\n"), "not-implemented"},
    {"empty coding", with("Transfer-Encoding:\r\n"), "not-implemented"},
    {"identity, then chunked in a second line",
     with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), bad},
    {"chunked in two lines", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     bad},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
     bad},
    {"length, then chunked (CL.TE)", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
     bad},
    {"chunked, then length (TE.CL)", with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
     bad},
    {"chunked in any case", with("Transfer-Encoding: CHUNKED\r\n"), ""},
    {"vertical tab before chunked", with("Transfer-Encoding: \vchunked\r\n"), bad},
    {"the same length twice", with("Content-Length: 3\r\nContent-Length: 3\r\n"), bad},
    {"the same length twice in one line", with("Content-Length: 3, 3\r\n"), bad},
    {"two lengths, last wins", with("Content-Length: 3\r\nContent-Length: 4\r\n"), bad},
    {"length with plus", with("Content-Length: +3\r\n"), bad},
    {"length with minus", with("Content-Length: -3\r\n"), bad},
    {"length in hexadecimal", with("Content-Length: 0x3\r\n"), bad},
    {"length with underscore", with("Content-Length: 3_0\r\n"), bad},
    {"empty length", with("Content-Length: \r\n"), bad},
    {"length with a parameter", with("Content-Length: 3;a\r\n"), bad},
    {"length over 64 bits", with("Content-Length: 18446744073709551619\r\n"), bad},
    {"length in octal", with("Content-Length: 010\r\n"), bad},
    {"length zero", with("Content-Length: 0\r\n"), ""},
    {"plain length", with("Content-Length: 30\r\n"), ""},
};

inline const std::vector<row> field_rows{
    {"folded value", with("X: a\r\n b\r\n"), bad},
    {"folded behind Host", "POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 3\r\n\r\n", bad},
    {"folded first line", "POST / HTTP/1.1\r\n Host: a\r\n\r\n", bad},
    {"bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", bad},
    {"bare LF behind the start line", "GET / HTTP/1.1\nHost: a\r\n\r\n", bad},
    {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", bad},
    {"bare CR in a value", with("X: a\rb\r\n"), bad},
    {"CR LF CR and something ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", bad},
    {"NUL in a value", with(std::string("X: a\0b\r\n", 8)), bad},
    {"control character in a value",
     with("X: a\x01"
          "b\r\n"),
     bad},
    {"DEL in a value", with("X: a\x7f\r\n"), bad},
    {"space before the colon", with("X : a\r\n"), bad},
    {"tab before the colon", with("X\t: a\r\n"), bad},
    {"empty name", with(": a\r\n"), bad},
    {"no colon", with("X\r\n"), bad},
    {"byte over 127 in a name", with("X\x80: a\r\n"), bad},
    {"name continued over lines", with("X-A\r\n: a\r\n"), bad},
    {"control byte before a name", with("\x0bX: a\r\n"), bad},
    {"slash in a name", with("X/Y: a\r\n"), bad},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", bad},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", bad},
    {"empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", bad},
    {"Host with blanks and a path", "GET / HTTP/1.1\r\nHost: a b/c?d\r\n\r\n", bad},
    {"Host with a user", "GET / HTTP/1.1\r\nHost: x@a\r\n\r\n", bad},
    {"Host that is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", bad},
    {"Host with a port that is none", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", bad},
    {"Host with port", "GET / HTTP/1.1\r\nHost: a.b-c:8080\r\n\r\n", ""},
    {"Host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", ""},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ""},
    {"unknown expectation", with("Expect: foo\r\n"), "expectation-failed"},
    {"obfuscated expectation", with("Expect: y 100-continue\r\n"), "expectation-failed"},
    {"100-continue", with("Expect: 100-Continue\r\nContent-Length: 3\r\n"), ""},
    {"a value over 127", with("X: caf\xc3\xa9\r\n"), ""},
};

inline const std::vector<row> start_rows{
    {"one empty line before", "\r\n" + to("/"), ""},
    {"two empty lines before", "\r\n\r\n" + to("/"), bad},
    {"HTTP/0.9", "GET /\r\n", bad},
    {"HTTP/0.9 with version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "version-not-supported"},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "version-not-supported"},
    {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version-not-supported"},
    {"HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", bad},
    {"lower-case http", "GET / http/1.1\r\nHost: a\r\n\r\n", bad},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", bad},
    {"tab for space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad},
    {"space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", bad},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "not-implemented"},
    {"TRACE", to("/", "TRACE"), "not-implemented"},
    {"custom method", to("/", "FROB"), "not-implemented"},
    {"lower-case get", to("/", "get"), "not-implemented"},
    {"method with a bad byte", to("/", "G@T"), bad},
    {"a TLS handshake", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), bad},
    {"asterisk for GET", to("*"), bad},
    {"asterisk for OPTIONS", to("*", "OPTIONS"), ""},
    {"authority for GET", to("a:80"), bad},
    {"no slash", to("foo"), bad},
    {"absolute", to("http://b/x"), ""},
    {"absolute with a user", to("http://u@a/"), bad},
    {"absolute without a host", to("http:///x"), bad},
    {"another scheme", to("ftp://a/"), bad},
    {"fragment", to("/a#frag"), bad},
    {"byte over 127", to("/\x80"), bad},
    {"double quote", to("/\""), bad},
    {"angle brackets", to("/<>"), bad},
    {"braces", to("/{}"), bad},
    {"bar", to("/|"), bad},
    {"backslash", to("/\\"), bad},
    {"caret", to("/^"), bad},
    {"caret in the query", to("/?^"), bad},
    {"broken escape", to("/%zz"), bad},
    {"escape cut short", to("/%4"), bad},
    {"escape cut short in the query", to("/?a=%4"), bad},
    {"escaped NUL", to("/%00"), bad},
    {"escaped NUL in the query", to("/?a=%00"), bad},
    {"escaped slash", to("/a%2fb"), bad},
    {"escaped backslash", to("/a%5Cb"), bad},
    {"escaped line feed", to("/a%0ab"), bad},
    {"escaped letter", to("/%61"), ""},
    {"brackets in the query", to("/?a[]=1"), ""},
};

} // namespace relais::test::gate
