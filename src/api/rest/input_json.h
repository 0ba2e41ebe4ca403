// How bodies are read, under the names of this module. Only files named *_json.cc include this.
#pragma once

#include "api/dialect/input_json.h"

namespace akidb::rest {

using dialect::BodyError;
using dialect::CheckObject;
using dialect::FieldError;
using dialect::FieldPath;
using dialect::FindMember;
using dialect::ForEachElement;
using dialect::ForEachMember;
using dialect::IsNull;
using dialect::JsonBody;
using dialect::JsonElement;
using dialect::kJsonDepthMax;
using dialect::MissingField;
using dialect::NotServed;
using dialect::RangeError;
using dialect::ReadBool;
using dialect::ReadDouble;
using dialect::ReadFloats;
using dialect::ReadName;
using dialect::ReadPointId;
using dialect::ReadPointIds;
using dialect::ReadSize;
using dialect::ReadString;
using dialect::ReadStrings;
using dialect::ReadUint;
using dialect::TypeError;
using dialect::UnknownField;

}  // namespace akidb::rest
