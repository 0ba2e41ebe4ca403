// Texts with bytes changed.
#pragma once

#include <string>

#include "fuzz_random.h"

namespace akidb::fuzz {

// Some bytes of `text` changed, left out, doubled, or parts of `other` put in.
std::string ChangeBytes(std::string text, const std::string& other, Choices& choices);

}  // namespace akidb::fuzz
