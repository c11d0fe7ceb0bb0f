/* Clocks and sleeping. */
#include "case.h"
#include <sys/times.h>
#include <sys/timerfd.h>

int main(void)
{
	struct timespec time, resolution;
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
		CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		long result = clock_gettime(clocks[i], &time);
		printf("clock %d: %ld %d", (int)clocks[i], result, time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
		result = clock_getres(clocks[i], &resolution);
		printf(" resolution %ld %s\n", result, resolution.tv_sec == 0 && resolution.tv_nsec <= 10000000 ? "fine" : "coarse");
	}
	show(syscall(SYS_clock_gettime, 999, &time));
	show(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	int backwards = 0, moved = 0;
	for (int i = 0; i < 100000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &after);
		backwards += after.tv_sec < before.tv_sec || (after.tv_sec == before.tv_sec && after.tv_nsec < before.tv_nsec);
		moved += after.tv_nsec != before.tv_nsec;
		before = after;
	}
	printf("backwards %d, moves %d\n", backwards, moved > 1000);
	struct timeval day;
	must(gettimeofday(&day, NULL));
	check(day.tv_sec > 1577836800 && day.tv_sec < 4102444800);
	clock_gettime(CLOCK_REALTIME, &time);
	check(labs((long)(time.tv_sec - day.tv_sec)) <= 1);
	check(labs((long)(time.tv_sec - (long)day.tv_sec)) <= 1);
	for (int ms = 1; ms <= 100; ms *= 10) {
		double start = seconds_now();
		sleep_ms(ms);
		double took = seconds_now() - start;
		printf("slept %d ms: %s\n", ms, took < ms / 1000.0 ? "too short" : took > ms / 1000.0 + 2 ? "too long" : "right");
	}
	show(nanosleep(&(struct timespec){ 0, 1000000000 }, NULL));
	show(nanosleep(&(struct timespec){ -1, 0 }, NULL));
	show(nanosleep(&(struct timespec){ 0, 0 }, NULL));
	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_nsec += 20000000;
	if (time.tv_nsec >= 1000000000)
		time.tv_sec++, time.tv_nsec -= 1000000000;
	show(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL));
	clock_gettime(CLOCK_MONOTONIC, &after);
	check(after.tv_sec > time.tv_sec || (after.tv_sec == time.tv_sec && after.tv_nsec >= time.tv_nsec));
	show(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL)); /* in the past */
	show(clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){ 0, 1000000 }, NULL));
	show(clock_nanosleep(12345, 0, &(struct timespec){ 0, 1000000 }, NULL));
	/* processor time passes while computing and not while sleeping */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	sleep_ms(300);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	check((double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9 < 0.2);
	for (volatile long i = 0; i < 30000000; i++)
		;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	check((double)(before.tv_sec - after.tv_sec) + (double)(before.tv_nsec - after.tv_nsec) / 1e9 > 0.002);
	struct tms times_used;
	check(times(&times_used) != (clock_t)-1);
	show(sysconf(_SC_CLK_TCK));
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec setting = { { 0, 5000000 }, { 0, 5000000 } };
	show(timerfd_settime(timer, 0, &setting, NULL));
	sleep_ms(60);
	uint64_t expired = 0;
	show(read(timer, &expired, sizeof expired));
	check(expired >= 10);
	show(read(timer, &expired, 4));
	struct tm parts;
	time_t moment = 86400 * 365;
	gmtime_r(&moment, &parts);
	printf("%d-%02d-%02d\n", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
	return 0;
}
