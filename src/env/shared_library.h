// A library of the system that is opened at run time, since most machines lack it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

namespace akidb::env {

// Never unloaded: such libraries leave threads and static objects behind. Thread-safe.
class SharedLibrary {
 public:
  // The first of `names` (as the dynamic loader takes them) that can be opened; nullopt if none.
  // Opening runs the library's own initialisers.
  static std::optional<SharedLibrary> Open(std::span<const char* const> names);

  const std::string& name() const { return name_; }

  // Null when the library has no such function. `F` is the function's type as the library's own
  // documentation declares it: nothing checks that.
  template <typename F>
  F* Find(const char* function) const {
    return reinterpret_cast<F*>(Address(function));
  }

 private:
  SharedLibrary(std::string name, void* handle) : name_(std::move(name)), handle_(handle) {}
  void* Address(const char* symbol) const;

  std::string name_;
  void* handle_;
};

}  // namespace akidb::env
