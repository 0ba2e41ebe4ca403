// Bugs that prove that the fuzzer of calls finds such: a target that has one and else asks another.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "call_target.h"
#include "fuzz_process.h"

namespace akidb::fuzz {

std::span<const PlantedBug> CallBugs();

// Null for names of none. `target` outlives it.
std::unique_ptr<CallTarget> PlantCallBug(std::string_view name, CallTarget& target);

}  // namespace akidb::fuzz
