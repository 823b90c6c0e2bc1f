// Stands between a process and libc (LD_PRELOAD): from the n-th call on that writes to a file below a
// folder, such calls are refused as a disk refuses them. Pipes, sockets and the like go on as ever, which
// is why this isn't done by strace: refused the byte that wakes it, a library's thread waits for ever.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, CREATE, RENAME, SYNC, TRUNCATE, MKDIR, UNLINK, CALLS };

static char below[PATH_MAX];
static size_t length;
static int chosen = -1, error;
static long from;
static atomic_long counts[CALLS];

// Refuse `call` from its `number`-th on with `code`; with call -1 only count.
void refuse(const char *folder, int call, long number, int code) {
  snprintf(below, sizeof below, "%s/", folder);
  length = strlen(below);
  chosen = call, from = number, error = code;
  for (int i = 0; i < CALLS; i++) counts[i] = 0;
}

long refused_calls(int call) { return counts[call]; }

static int refused(int call, int ours) {
  if (!length || !ours) return 0;
  long number = ++counts[call];
  if (call != chosen || number < from) return 0;
  errno = error;
  return 1;
}

static int of_file(int file) {
  if (!length) return 0;
  char name[64], path[PATH_MAX];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t size = readlink(name, path, sizeof path);
  return size > (ssize_t)length && !strncmp(path, below, length);
}

static int of_path(int folder, const char *path) {
  if (!length) return 0;
  return path[0] == '/' ? !strncmp(path, below, length) : folder != AT_FDCWD && of_file(folder);
}

#define REAL(result, name, ...)                                  \
  static result (*real)(__VA_ARGS__);                            \
  if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define ON_FILE(call, result, name, given, passed, ...)          \
  result name(int file, __VA_ARGS__) {                           \
    REAL(result, #name, int, given);                             \
    return refused(call, of_file(file)) ? -1 : real(file, passed); \
  }
#define COMMA ,

ON_FILE(WRITE, ssize_t, write, const void * COMMA size_t, data COMMA size, const void *data, size_t size)
ON_FILE(WRITE, ssize_t, writev, const struct iovec * COMMA int, data COMMA size, const struct iovec *data, int size)
ON_FILE(WRITE, ssize_t, pwrite, const void * COMMA size_t COMMA off_t, data COMMA size COMMA at, const void *data, size_t size, off_t at)
ON_FILE(WRITE, ssize_t, pwrite64, const void * COMMA size_t COMMA off_t, data COMMA size COMMA at, const void *data, size_t size, off_t at)
ON_FILE(TRUNCATE, int, ftruncate, off_t, size, off_t size)
ON_FILE(TRUNCATE, int, ftruncate64, off_t, size, off_t size)

size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
  REAL(size_t, "fwrite", const void *, size_t, size_t, FILE *);
  return refused(WRITE, of_file(fileno(file))) ? 0 : real(data, size, count, file);
}

ssize_t sendfile(int file, int source, off_t *at, size_t size) {
  REAL(ssize_t, "sendfile", int, int, off_t *, size_t);
  return refused(WRITE, of_file(file)) ? -1 : real(file, source, at, size);
}

ssize_t sendfile64(int file, int source, off_t *at, size_t size) {
  REAL(ssize_t, "sendfile64", int, int, off_t *, size_t);
  return refused(WRITE, of_file(file)) ? -1 : real(file, source, at, size);
}

ssize_t copy_file_range(int source, off_t *begin, int file, off_t *at, size_t size, unsigned int how) {
  REAL(ssize_t, "copy_file_range", int, off_t *, int, off_t *, size_t, unsigned int);
  return refused(WRITE, of_file(file)) ? -1 : real(source, begin, file, at, size, how);
}

int fsync(int file) {
  REAL(int, "fsync", int);
  return refused(SYNC, of_file(file)) ? -1 : real(file);
}

int fdatasync(int file) {
  REAL(int, "fdatasync", int);
  return refused(SYNC, of_file(file)) ? -1 : real(file);
}

#define OPENING(name)                                                        \
  int name(const char *path, int how, ...) {                                 \
    REAL(int, #name, const char *, int, ...);                                \
    __builtin_va_list rest;                                                  \
    __builtin_va_start(rest, how);                                           \
    int mode = how & (O_CREAT | O_TMPFILE) ? __builtin_va_arg(rest, int) : 0; \
    __builtin_va_end(rest);                                                  \
    return how & O_CREAT && refused(CREATE, of_path(AT_FDCWD, path)) ? -1 : real(path, how, mode); \
  }
OPENING(open)
OPENING(open64)

int rename(const char *old, const char *new) {
  REAL(int, "rename", const char *, const char *);
  return refused(RENAME, of_path(AT_FDCWD, new)) ? -1 : real(old, new);
}

int renameat(int one, const char *old, int other, const char *new) {
  REAL(int, "renameat", int, const char *, int, const char *);
  return refused(RENAME, of_path(other, new)) ? -1 : real(one, old, other, new);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  return refused(MKDIR, of_path(AT_FDCWD, path)) ? -1 : real(path, mode);
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  return refused(UNLINK, of_path(AT_FDCWD, path)) ? -1 : real(path);
}

int unlinkat(int folder, const char *path, int how) {
  REAL(int, "unlinkat", int, const char *, int);
  return refused(UNLINK, of_path(folder, path)) ? -1 : real(folder, path, how);
}
