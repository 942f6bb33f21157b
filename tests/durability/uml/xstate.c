/* Let the kernels of User Mode Linux before 6.13 run on processors whose vector state is larger than they know.
 *
 * Such a kernel saves and restores the registers of its processes by ptrace, with a buffer of fixed size, and ours
 * refuses to restore less than the processor has (PTRACE_SETREGSET, NT_X86_XSTATE). This library, preloaded, keeps
 * the whole state of each buffer that was saved, and restores that with the guest's part put over it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define XSTATE 0x202 /* NT_X86_XSTATE, linux/elf.h */
#define LARGEST 16384
#define BUFFERS 512

static struct whole {
    void *buffer;
    size_t length;
    char octets[LARGEST];
} known[BUFFERS];

static struct whole *whole_of(void *buffer)
{
    static unsigned next;
    for (unsigned i = 0; i < BUFFERS; i++)
        if (known[i].buffer == buffer)
            return &known[i];
    struct whole *oldest = &known[next++ % BUFFERS];
    oldest->buffer = buffer;
    oldest->length = 0;
    return oldest;
}

static long call(long request, long process, long address, void *data)
{
    return syscall(SYS_ptrace, request, process, address, data);
}

static long get(long process, struct iovec *asked)
{
    struct whole *whole = whole_of(asked->iov_base);
    struct iovec all = {whole->octets, LARGEST};
    if (call(PTRACE_GETREGSET, process, XSTATE, &all) < 0)
        return -1;
    whole->length = all.iov_len;
    if (asked->iov_len > all.iov_len)
        asked->iov_len = all.iov_len;
    memcpy(asked->iov_base, whole->octets, asked->iov_len);
    return 0;
}

static long set(long process, struct iovec *asked)
{
    struct whole *whole = whole_of(asked->iov_base);
    struct iovec all = {whole->octets, LARGEST};
    if (!whole->length) {
        if (call(PTRACE_GETREGSET, process, XSTATE, &all) < 0)
            return -1;
        whole->length = all.iov_len;
    }
    memcpy(whole->octets, asked->iov_base, asked->iov_len < whole->length ? asked->iov_len : whole->length);
    all.iov_len = whole->length;
    return call(PTRACE_SETREGSET, process, XSTATE, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list rest;
    va_start(rest, request);
    long process = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);

    if ((long)address == XSTATE && request == PTRACE_GETREGSET)
        return get(process, data);
    if ((long)address == XSTATE && request == PTRACE_SETREGSET)
        return set(process, data);
    if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
        long word; /* as the C library does it: the word is the result */
        long result = call(request, process, (long)address, &word);
        if (result < 0)
            return -1;
        errno = 0;
        return word;
    }
    return call(request, process, (long)address, data);
}
