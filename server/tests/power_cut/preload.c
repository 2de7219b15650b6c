/*
 * What a power cut may lose, recorded while the server runs.
 *
 * Loaded with LD_PRELOAD. Before every write to a regular file below MIMAMORI_POWER_DATA the old
 * bytes and the old length go to the undo journal MIMAMORI_POWER_JOURNAL; after every successful
 * sync of a file or folder a mark follows. The test kills the server and undoes, newest first, whatever was
 * not followed by a sync of the same file.
 *
 * Record, host byte order: u8 kind ('W' or 'S'), u16 length of path, u64 old length, u64 offset,
 * u64 length of old bytes, path, old bytes. The shared memory of SQLite (-shm) is not durable data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The path of a file or folder that counts, or 0. */
static int counted(int fd, char *path, size_t room) {
    const char *data = getenv("MIMAMORI_POWER_DATA");
    char link[64];
    struct stat st;
    if (data == NULL || fd < 0 || fstat(fd, &st) != 0) return 0;
    /* Folders are only ever synced. */
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, room - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    size_t length = strlen(data);
    if (strncmp(path, data, length) != 0 || path[length] != '/') return 0;
    return !(n > 4 && strcmp(path + n - 4, "-shm") == 0);
}

/* A journal that cannot be kept would make the test lie: the process ends. */
static void note(char kind, const char *path, uint64_t length, uint64_t at, const char *old, uint64_t n) {
    if (journal < 0) {
        const char *name = getenv("MIMAMORI_POWER_JOURNAL");
        journal = name == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (journal < 0) abort();
    }
    uint16_t named = (uint16_t)strlen(path);
    char head[27];
    head[0] = kind;
    memcpy(head + 1, &named, 2);
    memcpy(head + 3, &length, 8);
    memcpy(head + 11, &at, 8);
    memcpy(head + 19, &n, 8);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, named}, {(void *)old, n}};
    if (syscall(SYS_writev, journal, parts, 3) != (long)(sizeof head + named + n)) abort();
}

/* Keeps what is about to be overwritten or cut: `n` bytes at `at`. */
static void keep(int fd, const char *path, uint64_t at, uint64_t n) {
    struct stat st;
    if (fstat(fd, &st) != 0) abort();
    uint64_t length = (uint64_t)st.st_size;
    uint64_t old = at >= length ? 0 : (n < length - at ? n : length - at);
    char *bytes = malloc(old + 1);
    if (bytes == NULL) abort();
    uint64_t got = 0;
    int from = fd;
    while (got < old) {
        ssize_t r = pread(from, bytes + got, old - got, (off_t)(at + got));
        if (r < 0 && errno == EBADF && from == fd) {
            /* Write-only. SQLite opens its files for both: no lock of its is lost by the close below. */
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            from = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
            if (from < 0) abort();
            continue;
        }
        if (r <= 0) abort();
        got += (uint64_t)r;
    }
    if (from != fd) close(from);
    note('W', path, length, at, bytes, old);
    free(bytes);
}

static uint64_t here(int fd) {
    struct stat st;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0) return (uint64_t)st.st_size;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at < 0 ? 0 : (uint64_t)at;
}

#define GUARDED(fd, call, before, after)                  \
    do {                                                  \
        char path[4096];                                  \
        int saved = errno;                                \
        if (!counted(fd, path, sizeof path)) {            \
            errno = saved;                                \
            return call;                                  \
        }                                                 \
        pthread_mutex_lock(&one);                         \
        before;                                           \
        errno = saved;                                    \
        __typeof__(call) result = call;                   \
        int outcome = errno;                              \
        after;                                            \
        pthread_mutex_unlock(&one);                       \
        errno = outcome;                                  \
        return result;                                    \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t n) {
    GUARDED(fd, REAL(write)(fd, bytes, n), keep(fd, path, here(fd), n), );
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    uint64_t n = 0;
    for (int i = 0; i < count; i++) n += parts[i].iov_len;
    GUARDED(fd, REAL(writev)(fd, parts, count), keep(fd, path, here(fd), n), );
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    GUARDED(fd, REAL(pwrite)(fd, bytes, n, at), keep(fd, path, (uint64_t)at, n), );
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    GUARDED(fd, REAL(pwrite64)(fd, bytes, n, at), keep(fd, path, (uint64_t)at, n), );
}

int ftruncate(int fd, off_t length) {
    GUARDED(fd, REAL(ftruncate)(fd, length), keep(fd, path, (uint64_t)length, UINT64_MAX), );
}

int ftruncate64(int fd, off64_t length) {
    GUARDED(fd, REAL(ftruncate64)(fd, length), keep(fd, path, (uint64_t)length, UINT64_MAX), );
}

int fsync(int fd) {
    GUARDED(fd, REAL(fsync)(fd), , if (result == 0) note('S', path, 0, 0, "", 0));
}

int fdatasync(int fd) {
    GUARDED(fd, REAL(fdatasync)(fd), , if (result == 0) note('S', path, 0, 0, "", 0));
}
