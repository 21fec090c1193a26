/* The time of day so many seconds from the real one, as the file of CLOCK_SHIFT says at the moment;
   what only goes forward goes on as it does. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long shift(void)
{
    static __thread long long kept, read_at = -1;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    long long tenths = now.tv_sec * 10 + now.tv_nsec / 100000000;
    if (tenths != read_at) {
        const char *name = getenv("CLOCK_SHIFT");
        int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
        char text[32] = {0};
        read_at = tenths;
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0)
                kept = atoll(text);
            close(file);
        }
    }
    return kept;
}

int clock_gettime(clockid_t clock, struct timespec *found)
{
    int failed = syscall(SYS_clock_gettime, clock, found);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        found->tv_sec += shift();
    return failed;
}

int gettimeofday(struct timeval *found, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *found)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found)
        *found = now.tv_sec;
    return now.tv_sec;
}
