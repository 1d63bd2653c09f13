/*
 * Loaded before a program's own libraries (LD_PRELOAD): notes in order what it writes below one folder and what it has
 * flushed, so that the disk can be rebuilt as a power cut at any moment would leave it.
 *
 *   FAULT_FOLDER   the folder, absolute, without a slash at its end
 *   FAULT_RECORD   the file that takes the notes
 *
 * SQLite writes through libc; Bun's own file functions do not, but they flush, rename and delete through it. A file whose
 * writes are not seen is therefore noted whole in the moment in which it is flushed.
 *
 * One note, little-endian: kind (1 byte), 3 bytes unused, length of path, of second path and of data (4 bytes each),
 * offset (8 bytes), wall time in ms (8 bytes), then path, second path and data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define WHOLE_BYTES_MAX (1024 * 1024)
#define PATH_BYTES 512

enum kind { WRITE = 1, TRUNCATE = 2, FLUSH = 3, RENAME = 4, UNLINK = 5, WHOLE = 6 };

struct __attribute__((packed)) note {
  uint8_t kind;
  uint8_t unused[3];
  uint32_t path, second, data;
  uint64_t offset, wall_ms;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static int record = -1;

__attribute__((constructor)) static void begin(void) {
  folder = getenv("FAULT_FOLDER");
  const char *path = getenv("FAULT_RECORD");
  if (folder && path)
    record = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_ours(const char *path) {
  size_t length = folder ? strlen(folder) : 0;
  return record >= 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The path behind a descriptor, when it lies in the folder. */
static int path_of(int fd, char *path) {
  char link[64];
  if (record < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_BYTES - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static void put(enum kind kind, const char *path, const char *second, const void *data, size_t bytes, uint64_t offset) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct note note = {.kind = kind,
                      .path = (uint32_t)strlen(path),
                      .second = (uint32_t)strlen(second),
                      .data = (uint32_t)bytes,
                      .offset = offset,
                      .wall_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
  struct iovec parts[] = {{&note, sizeof note},
                          {(void *)path, note.path},
                          {(void *)second, note.second},
                          {(void *)data, bytes}};
  (void)!syscall(SYS_writev, record, parts, 4);
}

static void put_whole(const char *path) {
  static char bytes[WHOLE_BYTES_MAX];
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  struct stat is;
  if (fd < 0) return;
  if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_size <= WHOLE_BYTES_MAX) {
    long got = syscall(SYS_read, fd, bytes, (size_t)is.st_size);
    if (got == is.st_size) put(WHOLE, path, "", bytes, (size_t)got, 0);
  }
  syscall(SYS_close, fd);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define LOCKED(call)                  \
  do {                                \
    pthread_mutex_lock(&turn);        \
    call;                             \
    pthread_mutex_unlock(&turn);      \
  } while (0)

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset) {
  char path[PATH_BYTES];
  if (!path_of(fd, path)) return REAL(pwrite64)(fd, data, bytes, offset);
  ssize_t done;
  LOCKED({
    done = REAL(pwrite64)(fd, data, bytes, offset);
    if (done > 0) put(WRITE, path, "", data, (size_t)done, (uint64_t)offset);
  });
  return done;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) { return pwrite64(fd, data, bytes, offset); }

int ftruncate64(int fd, off64_t length) {
  char path[PATH_BYTES];
  if (!path_of(fd, path)) return REAL(ftruncate64)(fd, length);
  int result;
  LOCKED({
    result = REAL(ftruncate64)(fd, length);
    if (result == 0) put(TRUNCATE, path, "", "", 0, (uint64_t)length);
  });
  return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* Noted when it has returned: before that nothing is promised. */
static int flush(int fd, int (*real)(int)) {
  char path[PATH_BYTES];
  if (!path_of(fd, path)) return real(fd);
  int result;
  LOCKED({
    result = real(fd);
    if (result == 0) {
      if (strstr(path, "/outbox.db") == NULL) put_whole(path);
      put(FLUSH, path, "", "", 0, 0);
    }
  });
  return result;
}

int fsync(int fd) { return flush(fd, REAL(fsync)); }
int fdatasync(int fd) { return flush(fd, REAL(fdatasync)); }

int rename(const char *from, const char *to) {
  if (!is_ours(to)) return REAL(rename)(from, to);
  int result;
  LOCKED({
    result = REAL(rename)(from, to);
    if (result == 0) put(RENAME, from, to, "", 0, 0);
  });
  return result;
}

int unlink(const char *path) {
  if (!is_ours(path)) return REAL(unlink)(path);
  int result;
  LOCKED({
    result = REAL(unlink)(path);
    if (result == 0) put(UNLINK, path, "", "", 0, 0);
  });
  return result;
}
