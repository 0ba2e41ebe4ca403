// JSON out of shapes: mostly right, with things wrong here and there.
#pragma once

#include <string>

#include "api/rest/schema/shape.h"
#include "fuzz_random.h"

namespace akidb::fuzz {

class BodyMaker {
 public:
  // `wrong_one_in`: of how many values one is not of its shape; 0: none is.
  BodyMaker(Choices& choices, size_t wrong_one_in)
      : choices_(choices), wrong_one_in_(wrong_one_in) {}

  std::string Make(const rest::Shape& shape);

 private:
  void Append(const rest::Shape& shape, int depth);
  void AppendWrong();
  void AppendNumber(const rest::Shape& shape);
  void AppendText(const rest::Shape& shape);
  void AppendObject(const rest::Shape& shape, int depth);
  void AppendMap(const rest::Shape& shape, int depth);
  void AppendArray(const rest::Shape& shape, int depth);
  void AppendAnything(int depth);
  void AppendQuoted(std::string_view text);

  Choices& choices_;
  size_t wrong_one_in_;
  std::string out_;
};

}  // namespace akidb::fuzz
