// Requests out of the table of routes.
#pragma once

#include <string>
#include <vector>

#include "api/rest/http_message.h"
#include "fuzz_random.h"

namespace akidb::fuzz {

// As a corpus file has it: "METHOD target\n" and the body.
std::string ToText(const rest::HttpRequest& request);
rest::HttpRequest FromText(std::string_view text);

// By a route, with a body of its shape if it takes one.
rest::HttpRequest MakeRequest(Choices& choices);

}  // namespace akidb::fuzz
