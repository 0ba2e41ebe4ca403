// Bugs that prove that the fuzzer finds such: an application that has one and else asks another.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "api/rest/http_message.h"
#include "fuzz_process.h"

namespace akidb::fuzz {

std::span<const PlantedBug> PlantedBugs();

// Null for names of none. `application` outlives it.
std::unique_ptr<rest::HttpApplication> PlantBug(std::string_view name,
                                                rest::HttpApplication& application);

}  // namespace akidb::fuzz
