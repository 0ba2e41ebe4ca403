// The description of what is served, out of the table of routes and the shapes that it names: as
// OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), for programs, and as a page, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/rest/route.h"

namespace akidb::rest {

// A text; `version`: of the API.
std::string OpenApiDocument(std::string_view version);
// HTML that needs nothing from elsewhere.
std::string ReferencePage(std::string_view version);

// The path with the names of its variables: "/collections/{collection_name}/points/{point_id}".
std::string DescribedPath(const Route& route);
// HTTP statuses of what can go wrong, ascending.
std::vector<int> ErrorStatuses(const Route& route);

}  // namespace akidb::rest
