// Preloaded before libfaketime. librdkafka waits with C11's cnd_timedwait(), which libfaketime does
// not know, until a time that it has from timespec_get(), which libfaketime would fake: it would
// wait for an hour where on a machine whose clock really jumps it waits for a second.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int timespec_get(struct timespec* now, int base) {
    return base == TIME_UTC && syscall(SYS_clock_gettime, CLOCK_REALTIME, now) == 0 ? base : 0;
}
