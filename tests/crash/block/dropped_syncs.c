// A seeded bug, to be preloaded: syncs that report success and do nothing.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>

int fsync(int fd) { return (void)fd, 0; }
int fdatasync(int fd) { return (void)fd, 0; }
int syncfs(int fd) { return (void)fd, 0; }
int msync(void *address, size_t length, int flags) { return (void)address, (void)length, (void)flags, 0; }
int sync_file_range(int fd, off_t offset, off_t length, unsigned flags) {
  return (void)fd, (void)offset, (void)length, (void)flags, 0;
}
