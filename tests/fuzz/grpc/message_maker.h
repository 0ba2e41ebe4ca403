// Messages by their descriptors: mostly of what the fuzzed collections have, with odd values here
// and there.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "fuzz_random.h"

namespace akidb::fuzz {

class MessageMaker {
 public:
  // `odd_one_in`: of how many values one is not what a client would send; 0: none is.
  MessageMaker(Choices& choices, size_t odd_one_in) : choices_(choices), odd_one_in_(odd_one_in) {}

  // Every field, by chance.
  void Fill(google::protobuf::Message& message);
  // One field somewhere: made anew, left out, taken from the same place of `other`, repeated, or
  // nested in itself many times.
  void Change(const google::protobuf::Message& other, google::protobuf::Message& message);

 private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  bool IsOdd() { return odd_one_in_ != 0 && choices_.OneIn(odd_one_in_); }
  void FillMessage(Message& message, int depth);
  void FillField(Message& message, const Field& field, int depth);
  void AddElements(Message& message, const Field& field, int depth);
  // Adds an element of a repeated field, sets any other.
  void PutValue(Message& message, const Field& field, int depth);
  void PutInteger(Message& message, const Field& field);
  void PutReal(Message& message, const Field& field);
  size_t ElementsCount(const Field& field);
  std::string TextOf(const Field& field);
  void Deepen(Message& message);

  Choices& choices_;
  const size_t odd_one_in_;
  size_t messages_left_ = 0;
};

}  // namespace akidb::fuzz
