#pragma once

#include <string>
#include <vector>

/// The rows of tests/edge/vectors: what the gate lets in and what it refuses. Every row is
/// something a widely used parser or proxy gets wrong; where two read a message differently, a
/// request can be smuggled past one of them. tests/edge sends the same rows through the gateway,
/// and through others.
namespace relais::test::gate {

struct request_row {
    std::string name;
    std::string head;
    std::string slug;    ///< "": accepted
    std::string goes_as; ///< the normalised target, where the row is about it
};

struct chunks_row {
    std::string name;
    std::string bytes;
    bool refused = false;
    std::string body;
};

struct answer_row {
    std::string name;
    std::string head;
    std::string method;  ///< of the request that it answers
    std::string framing; ///< as http::framing names it; "": refused
};

/// Heads of requests; those whose bodies are the row are in chunks_rows().
std::vector<request_row> request_rows();
std::vector<chunks_row> chunks_rows();

/// Heads of answers that can be judged by themselves.
std::vector<answer_row> answer_rows();

} // namespace relais::test::gate
