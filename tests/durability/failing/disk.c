/* A disk that fails when it is told to: a library to preload.
 *
 * On it are the files whose paths begin with FAILING_DISK. FAILING_DISK_ORDERS names a file: while that has "write 5" in
 * it, writing fails with error number 5; with "sync 5", waiting for the disk does. If there is none all is well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int is_on_it(int file)
{
    const char *disk = getenv("FAILING_DISK");
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path);
    return disk && length > 0 && (size_t)length >= strlen(disk) && memcmp(path, disk, strlen(disk)) == 0;
}

/* The error number with which to fail, 0: not at all. */
static int ordered(const char *what, int file)
{
    char call[8] = "";
    int number = 0;
    const char *path = getenv("FAILING_DISK_ORDERS");
    FILE *orders = path && is_on_it(file) ? fopen(path, "r") : NULL;
    if (orders) {
        if (fscanf(orders, "%7s %d", call, &number) != 2 || strcmp(call, what) != 0)
            number = 0;
        fclose(orders);
    }
    return number;
}

static int fails(const char *what, int file)
{
    int number = ordered(what, file);
    if (number)
        errno = number;
    return number;
}

ssize_t pwrite64(int file, const void *octets, size_t count, off64_t offset)
{
    return fails("write", file) ? -1 : syscall(SYS_pwrite64, file, octets, count, offset);
}

ssize_t pwrite(int file, const void *octets, size_t count, off_t offset)
{
    return pwrite64(file, octets, count, offset);
}

int fsync(int file)
{
    return fails("sync", file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    return fails("sync", file) ? -1 : (int)syscall(SYS_fdatasync, file);
}
