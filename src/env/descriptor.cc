#include "env/descriptor.h"

#include <unistd.h>

namespace akidb::env {

void Descriptor::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace akidb::env
