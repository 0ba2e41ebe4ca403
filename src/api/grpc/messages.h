// The dialect's messages, generated from its protos.
#pragma once

#include <collections.pb.h>
#include <json_with_int.pb.h>
#include <points.pb.h>
#include <qdrant_common.pb.h>
