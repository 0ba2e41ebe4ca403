// Whether a bug of bugs.py is to be there: asked at the places where plant.py has put it.
#pragma once

#include <string_view>

namespace akidb {

bool IsPlanted(std::string_view bug);

}  // namespace akidb
