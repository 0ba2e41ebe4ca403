#include "byte_changes.h"

#include <algorithm>

namespace akidb::fuzz {

std::string ChangeBytes(std::string text, const std::string& other, Choices& choices) {
  for (size_t changes = 1 + choices.Below(4); changes > 0 && !text.empty(); --changes) {
    const size_t at = choices.Below(text.size());
    const size_t length = std::min(1 + choices.Below(20), text.size() - at);
    switch (choices.Below(6)) {
      case 0:
        text[at] = static_cast<char>(choices.Next());
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.resize(at);
        break;
      case 4:
        text[at] = "{}[]\",:0-.e\\ \n"[choices.Below(15)];
        break;
      default:
        if (!other.empty()) text.insert(at, other, choices.Below(other.size()), length * 4);
    }
  }
  return text;
}

}  // namespace akidb::fuzz
