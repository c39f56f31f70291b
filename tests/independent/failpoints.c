/* Ends the server, fails it or fills its disk at the step that a test names: preloaded into it by test_killed_stations.py.
 *
 * Every call by which the program writes its store, speaks to PostgreSQL or answers a client is a step of some kind. The test
 * says in a file that both map how many steps of which kind are still to come, and whether the last one is still made, made
 * by half, not made, or fails. SIGKILL is what ends the process, as if from outside; nothing of the program takes part in it.
 */

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <errno.h>

enum step { NONE, LOG_WRITE, LOG_SYNC, FILE_WRITE, FILE_SYNC, POSTGRES_SEND, POSTGRES_RECEIVE, ANSWER, STEPS };
enum how { BEFORE, HALF, AFTER, FAILED };

/* The layout is that of `Orders` in test_killed_stations.py. */
struct orders {
    _Atomic int64_t step, how, left; /* which step, what of it, and how many are still to come */
    _Atomic int64_t room;            /* bytes that the disk still takes; below 0: any number */
    _Atomic int64_t postgres_port;
    _Atomic int64_t refused;         /* writes that found no room */
    _Atomic int64_t seen[STEPS];
};

static struct orders *orders;

__attribute__((constructor)) static void take_orders(void) {
    const char *path = getenv("FAILPOINTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) orders = mapped;
    close(file);
}

/* Whether the end comes with this step. */
static int is_last(enum step step) {
    if (!orders || step == NONE) return 0;
    orders->seen[step]++;
    return orders->step == step && --orders->left == 0;
}

/* Whether the process goes on: then the step fails. */
static int goes_on(void) { return orders->how == FAILED; }

static void die(void) {
    for (;;) kill(getpid(), SIGKILL);
}

/* What a file of the store is; NONE for all others. */
static enum step of_file(int file, enum step log, enum step other) {
    char name[64], path[512];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length <= 0) return NONE;
    path[length] = 0;
    if (!strstr(path, "evenwatt.db")) return NONE;
    return strstr(path, ".db-wal") ? log : other;
}

/* A connection breaks, for both of its ends. */
static ssize_t broken(int file) {
    shutdown(file, SHUT_RDWR);
    return errno = ECONNRESET, -1;
}

static enum step of_socket(int file, enum step postgres, enum step client) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (getpeername(file, (struct sockaddr *)&peer, &length) || peer.sin_family != AF_INET) return NONE;
    return ntohs(peer.sin_port) == orders->postgres_port ? postgres : client;
}

/* How much of a write has room on the disk. */
static size_t that_fits(size_t wanted) {
    if (orders->room < 0) return wanted;
    int64_t before = atomic_fetch_sub(&orders->room, (int64_t)wanted);
    if (before >= (int64_t)wanted) return wanted;
    orders->room = 0;
    orders->refused++;
    return before > 0 ? (size_t)before : 0;
}

static ssize_t pwrite_really(int file, const void *bytes, size_t count, off_t at) {
    return syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
    enum step step = orders ? of_file(file, LOG_WRITE, FILE_WRITE) : NONE;
    if (is_last(step)) {
        if (goes_on()) return errno = EIO, -1;
        size_t part = orders->how == BEFORE ? 0 : orders->how == HALF ? count / 2 : count;
        if (part) pwrite_really(file, bytes, part, at);
        die();
    }
    if (step != NONE) {
        size_t fits = that_fits(count);
        if (fits == 0 && count > 0) return errno = ENOSPC, -1;
        count = fits;
    }
    return pwrite_really(file, bytes, count, at);
}

ssize_t write(int file, const void *bytes, size_t count) {
    if (orders && orders->room >= 0 && of_file(file, LOG_WRITE, FILE_WRITE) != NONE) {
        size_t fits = that_fits(count);
        if (fits == 0 && count > 0) return errno = ENOSPC, -1;
        count = fits;
    }
    return syscall(SYS_write, file, bytes, count);
}

static int sync_with(long call, int file) {
    int is_end = orders && is_last(of_file(file, LOG_SYNC, FILE_SYNC));
    if (is_end && goes_on()) return errno = EIO, -1;
    if (is_end && orders->how == BEFORE) die();
    int result = (int)syscall(call, file);
    if (is_end) die();
    return result;
}

int fsync(int file) {
    return sync_with(SYS_fsync, file);
}

int fdatasync(int file) {
    return sync_with(SYS_fdatasync, file);
}

ssize_t send(int file, const void *bytes, size_t count, int flags) {
    int is_end = orders && is_last(of_socket(file, POSTGRES_SEND, ANSWER));
    if (is_end) {
        if (goes_on()) return broken(file);
        size_t part = orders->how == BEFORE ? 0 : orders->how == HALF ? count / 2 : count;
        if (part) syscall(SYS_sendto, file, bytes, part, flags, NULL, 0);
        die();
    }
    return syscall(SYS_sendto, file, bytes, count, flags, NULL, 0);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    int is_end = orders && is_last(of_socket(file, POSTGRES_SEND, ANSWER));
    if (is_end && goes_on()) return broken(file);
    if (is_end && orders->how == BEFORE) die();
    ssize_t result = syscall(SYS_writev, file, parts, count);
    if (is_end) die();
    return result;
}

ssize_t recv(int file, void *bytes, size_t count, int flags) {
    int is_end = 0;
    if (orders && orders->postgres_port) is_end = is_last(of_socket(file, POSTGRES_RECEIVE, NONE));
    if (is_end && goes_on()) return broken(file);
    if (is_end && orders->how == BEFORE) die();
    ssize_t result = syscall(SYS_recvfrom, file, bytes, count, flags, NULL, NULL);
    if (is_end) die();
    return result;
}
