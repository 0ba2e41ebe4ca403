// Messages of options as JSON, field by field.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "base/json_writer.h"
#include "base/status.h"

namespace akidb::rpc {

// "max_sim" of MaxSim, "scalar4bits" of Scalar4Bits.
std::string SnakeCase(std::string_view name);
// What a field is called in JSON.
std::string_view JsonNameOf(const google::protobuf::FieldDescriptor& field);

// The members of an object: every field that is set. kMalformed: a number that its enumeration
// lacks.
Status WriteMembers(const google::protobuf::Message& message, JsonWriter& json);

}  // namespace akidb::rpc
