// What a session must show before it serves: the vectors of the manifest's golden texts.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "embedding/session.h"
#include "embedding/text_encoder.h"

namespace akidb::embedding {

// Their ids, as they are run. Errors of TextEncoder::Encode.
Result<std::vector<std::vector<int32_t>>> EncodeGoldenTexts(const TextEncoder& encoder);

// Runs each text by itself, and all in one batch unless texts are run alone. kCorruption when a
// vector isn't the promised one; errors of Session::Run and TextEncoder::Encode.
Status ProveByGoldenTexts(const TextEncoder& encoder, Session& session);

}  // namespace akidb::embedding
