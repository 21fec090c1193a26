/* The time of day so many seconds from the real one, as the file of CLOCK_SHIFT says at the moment;
   what only goes forward goes on as it does, and who waits until a time of day waits as long. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int gettime_t(clockid_t, struct timespec *);
typedef int timedwait_t(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static int gettime(clockid_t clock, struct timespec *found)
{
    static gettime_t *known;
    static __thread int looking;
    if (!known && !looking) {
        looking = 1;
        known = (gettime_t *)dlsym(RTLD_NEXT, "clock_gettime");
        looking = 0;
    }
    return known ? known(clock, found) : (int)syscall(SYS_clock_gettime, clock, found);
}

static long long shift(void)
{
    static __thread long long kept, read_at = -1;
    struct timespec now;
    gettime(CLOCK_MONOTONIC, &now);
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
    int failed = gettime(clock, found);
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

/* The kernel knows the real time alone. A deadline of a clock that only goes forward is small. */
int pthread_cond_timedwait(pthread_cond_t *told, pthread_mutex_t *held, const struct timespec *end)
{
    static timedwait_t *known;
    struct timespec real = *end;
    if (!known)
        known = (timedwait_t *)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    if (real.tv_sec > 1000000000)
        real.tv_sec -= shift();
    return known(told, held, &real);
}
