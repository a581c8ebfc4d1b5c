/* What a power cut is sure to leave: preloaded into the node, this keeps a copy of each file as it was at its last sync.
 *
 *   SHIM_DIR     the data folder that is watched (flat; it must exist)
 *   SHIM_OUT     the "disk": one file for each one that was synced, under its own name
 *   SHIM_COUNTS  a file of two uint64: syncs in SHIM_DIR, bytes copied; it goes on from process to process
 *   SHIM_KILL_AT optional: SIGKILL ourselves when this many syncs have been made by this process
 *
 * After each successful fsync or fdatasync the file is copied aside and the copy renamed into place, so a kill in the middle
 * of copying leaves the content of the sync before: as if this sync had not returned, and it has not.
 *
 * Why copies of several files, each of its own moment, fit together: SQLite never relies on more. It syncs the write-ahead
 * log before it writes any page of it into the database, and the database before it starts the log anew. So an older
 * database with a newer log is repaired by the log, and a newer database with an older log is given pages that it has.
 *
 * Names: a sync of any file in the folder also makes earlier unlinks durable (a journaling file system keeps the order of
 * its metadata); until then the unlinked file comes back. A new file is there with its first sync. A rename in the folder
 * is not modelled and ends the process, so that nobody believes a result that the model cannot give.
 *
 * Files are read with pread from the caller's own descriptor. Never open and close one of them here: closing any descriptor
 * of a file drops all the process's POSIX locks on it, and with them SQLite's.
 *
 * Only the thread that syncs a file may be writing it then. That holds here: the journal has one writing thread.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 18, MOST_UNLINKED = 64, EXIT_MODEL = 70 };

static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_rename)(const char *, const char *);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char dir[PATH_MAX], out[PATH_MAX];
static volatile uint64_t *counts;
static char unlinked[MOST_UNLINKED][NAME_MAX + 1];
static int unlinked_count;
static long kill_at, own_syncs;
static char chunk[CHUNK_BYTES];

/* A model that cannot be kept up must not give results. */
static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("power-loss shim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(EXIT_MODEL);
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        die("no %s in the C library", name);
    return found;
}

static const char *given(const char *name)
{
    const char *value = getenv(name);
    if (!value || !*value)
        die("%s is not set", name);
    return value;
}

__attribute__((constructor)) static void begin(void)
{
    real_fsync = real("fsync");
    real_fdatasync = real("fdatasync");
    real_unlink = real("unlink");
    real_unlinkat = real("unlinkat");
    real_rename = real("rename");
    if (!realpath(given("SHIM_DIR"), dir) || !realpath(given("SHIM_OUT"), out))
        die("SHIM_DIR or SHIM_OUT: %s", strerror(errno));
    kill_at = getenv("SHIM_KILL_AT") ? atol(getenv("SHIM_KILL_AT")) : 0;
    int file = open(given("SHIM_COUNTS"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, 2 * sizeof *counts) != 0)
        die("SHIM_COUNTS: %s", strerror(errno));
    counts = mmap(NULL, 2 * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counts == MAP_FAILED)
        die("SHIM_COUNTS: %s", strerror(errno));
    close(file);
}

/* The name within the watched folder of an absolute path without links; NULL for a path elsewhere and for the folder itself. */
static const char *name_in_dir(const char *path)
{
    size_t length = strlen(dir);
    if (strncmp(path, dir, length) != 0 || path[length] != '/')
        return NULL;
    if (strchr(path + length + 1, '/'))
        die("%s: folders within the data folder are not modelled", path);
    return path + length + 1;
}

/* The same for a path as a program gives it, whose last part may be gone or a link. `into` is where the result is kept. */
static const char *name_of_path(int folder, const char *path, char into[PATH_MAX])
{
    char whole[PATH_MAX], parent[PATH_MAX];
    if (path[0] == '/' || folder == AT_FDCWD)
        snprintf(whole, sizeof whole, "%s", path);
    else
        snprintf(whole, sizeof whole, "/proc/self/fd/%d/%s", folder, path);
    char *slash = strrchr(whole, '/');
    const char *last = slash ? slash + 1 : whole;
    if (slash)
        *slash = '\0';
    if (!realpath(slash ? (slash == whole ? "/" : whole) : ".", parent))
        return NULL;
    if (snprintf(into, PATH_MAX, "%s/%s", parent, last) >= PATH_MAX)
        die("a path is too long");
    return name_in_dir(into);
}

static void write_all(int file, const char *data, ssize_t length)
{
    while (length > 0) {
        ssize_t written = write(file, data, (size_t)length);
        if (written < 0)
            die("cannot write the copy: %s", strerror(errno));
        data += written;
        length -= written;
    }
}

static void copy_aside(int file, const char *name)
{
    char temporary[PATH_MAX], final[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s/.%s.%d", out, name, getpid()) >= PATH_MAX ||
        snprintf(final, sizeof final, "%s/%s", out, name) >= PATH_MAX)
        die("a path is too long");
    int copy = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (copy < 0)
        die("%s: %s", temporary, strerror(errno));
    off_t offset = 0;
    for (ssize_t length; (length = pread(file, chunk, sizeof chunk, offset)) != 0; offset += length) {
        if (length < 0)
            die("cannot read %s again: %s", name, strerror(errno));
        write_all(copy, chunk, length);
    }
    if (close(copy) != 0 || real_rename(temporary, final) != 0)
        die("%s: %s", final, strerror(errno));
    __atomic_add_fetch(&counts[0], 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&counts[1], (uint64_t)offset, __ATOMIC_RELAXED);
    if (++own_syncs == kill_at)
        kill(getpid(), SIGKILL);
}

static void make_unlinks_durable(void)
{
    char path[PATH_MAX];
    while (unlinked_count > 0) {
        if (snprintf(path, sizeof path, "%s/%s", out, unlinked[--unlinked_count]) >= PATH_MAX)
            die("a path is too long");
        if (real_unlink(path) != 0 && errno != ENOENT)
            die("%s: %s", path, strerror(errno));
    }
}

static void after_sync(int file)
{
    char link[64], path[PATH_MAX];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink == 0)
        return; /* a folder, or a file without a name: nothing of it is found after the cut */
    path[length] = '\0';
    const char *name = name_in_dir(path);
    if (!name)
        return;
    pthread_mutex_lock(&lock);
    make_unlinks_durable();
    copy_aside(file, name);
    pthread_mutex_unlock(&lock);
}

static int synced(int file, int result)
{
    int error = errno;
    if (result == 0)
        after_sync(file);
    errno = error;
    return result;
}

int fsync(int file)
{
    return synced(file, real_fsync(file));
}

int fdatasync(int file)
{
    return synced(file, real_fdatasync(file));
}

static int after_unlink(const char *name, int result)
{
    int error = errno;
    if (result == 0 && name) {
        pthread_mutex_lock(&lock);
        if (unlinked_count == MOST_UNLINKED)
            die("more than %d files unlinked without a sync", MOST_UNLINKED);
        snprintf(unlinked[unlinked_count++], NAME_MAX + 1, "%s", name);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return result;
}

int unlink(const char *path)
{
    char whole[PATH_MAX];
    const char *name = name_of_path(AT_FDCWD, path, whole);
    return after_unlink(name, real_unlink(path));
}

int unlinkat(int folder, const char *path, int flags)
{
    char whole[PATH_MAX];
    const char *name = name_of_path(folder, path, whole);
    return after_unlink(name, real_unlinkat(folder, path, flags));
}

int rename(const char *from, const char *to)
{
    char whole[PATH_MAX];
    if (name_of_path(AT_FDCWD, from, whole) || name_of_path(AT_FDCWD, to, whole))
        die("rename of %s to %s: renames in the data folder are not modelled", from, to);
    return real_rename(from, to);
}
