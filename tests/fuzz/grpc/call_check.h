// What is right of any answer to a call.
#pragma once

#include <string>
#include <vector>

#include "call_target.h"
#include "fuzzed_call.h"

namespace akidb::fuzz {

// What is wrong with it; empty when nothing is.
std::string WrongOf(const FuzzedCall& call, const CallManner& manner, const CallAnswer& answer);
// The same for answers that look alike, whatever numbers and names are in them: of an error its
// text, of any other the fields of the request, each of which got through.
std::vector<std::string> KindsOf(const FuzzedCall& call, const CallAnswer& answer);

}  // namespace akidb::fuzz
