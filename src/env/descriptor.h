// A file descriptor of the system, closed by its owner's destructor.
#pragma once

#include <utility>

namespace akidb::env {

class Descriptor {
 public:
  Descriptor() = default;  // holds none
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) Close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }  // -1: none
  void Close();

 private:
  int fd_ = -1;
};

}  // namespace akidb::env
