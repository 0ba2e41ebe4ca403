// What is right of any answer.
#pragma once

#include <string>

#include "api/rest/http_message.h"

namespace akidb::fuzz {

// What is wrong with it; empty when nothing is.
std::string WrongOf(const rest::HttpRequest& request, const rest::HttpResponse& response);
// The same for answers that look alike, whatever numbers and names are in them.
std::string KindOf(const rest::HttpRequest& request, const rest::HttpResponse& response);

}  // namespace akidb::fuzz
