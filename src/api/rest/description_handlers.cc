// The description of the API: made anew for each who asks, which takes a millisecond.
#include "api/rest/api_call.h"
#include "api/rest/openapi_document.h"

namespace akidb::rest {

Result<std::string> GetOpenApi(const ApiCall& call) {
  return OpenApiDocument(call.options.version);
}

Result<std::string> GetReferencePage(const ApiCall& call) {
  return ReferencePage(call.options.version);
}

}  // namespace akidb::rest
