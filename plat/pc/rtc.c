/* The battery clock (MC146818): the date at start. And the interval timer (8254), to measure other clocks where nothing tells their speed. */
#include "arch/x86_64/x86.h"

#define RTC_INDEX 0x70
#define RTC_DATA 0x71
#define STATUS_A 10
#define STATUS_B 11
#define UPDATING 0x80
#define BINARY 0x04
#define HOURS_24 0x02

static uint8_t rtc_read(uint8_t index)
{
	out8(RTC_INDEX, index | 0x80);
	return in8(RTC_DATA);
}

struct rtc_time { uint8_t second, minute, hour, day, month, year, century; };

static struct rtc_time rtc_sample(void)
{
	for (unsigned wait = 0; wait < 100000 && rtc_read(STATUS_A) & UPDATING; wait++)
		;
	return (struct rtc_time){ rtc_read(0), rtc_read(2), rtc_read(4), rtc_read(7), rtc_read(8), rtc_read(9), rtc_read(0x32) };
}

static unsigned decimal(uint8_t value, uint8_t status)
{
	return status & BINARY ? value : (value >> 4) * 10u + (value & 15);
}

/* Days from 1970-01-01 in the Gregorian calendar: years begin in March, so the leap day is the last of its year. */
static uint64_t days_of(unsigned year, unsigned month, unsigned day)
{
	year -= month <= 2;
	unsigned shifted = month > 2 ? month - 3 : month + 9;
	return 365ul * year + year / 4 - year / 100 + year / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

uint64_t arch_realtime(void)
{
	struct rtc_time first = rtc_sample(), t = rtc_sample();
	for (unsigned attempt = 0; attempt < 4 && (first.second != t.second || first.minute != t.minute || first.hour != t.hour); attempt++) {
		first = t; /* an update came between */
		t = rtc_sample();
	}
	uint8_t status = rtc_read(STATUS_B);
	unsigned hour = decimal(t.hour & 0x7f, status), century = decimal(t.century, status), month = decimal(t.month, status);
	if (!(status & HOURS_24))
		hour = hour % 12 + (t.hour & 0x80 ? 12 : 0);
	unsigned year = decimal(t.year, status) + (century >= 19 && century <= 22 ? century * 100 : 2000);
	if (t.second == 0xff || month < 1 || month > 12 || year < 1970)
		return 0; /* no such device: 1970 */
	uint64_t seconds = ((days_of(year, month, decimal(t.day, status)) * 24 + hour) * 60 + decimal(t.minute, status)) * 60 + decimal(t.second, status);
	return seconds * 1000000000ul;
}

#define PIT_CHANNEL2 0x42
#define PIT_MODE 0x43
#define PIT_GATE 0x61
#define PIT_FREQUENCY 1193182ul
#define PIT_COUNT 11932u /* 10 ms */

/* Counts of the time-stamp counter and of the running APIC timer in *microseconds. False: no such timer. */
bool pit_measure(uint64_t *counter, uint64_t *apic_ticks, uint64_t *microseconds);
bool pit_measure(uint64_t *counter, uint64_t *apic_ticks, uint64_t *microseconds)
{
	uint8_t gate = in8(PIT_GATE) & ~3u;
	out8(PIT_GATE, gate);
	out8(PIT_MODE, 0xb0); /* channel 2, one-shot */
	out8(PIT_CHANNEL2, PIT_COUNT & 0xff);
	out8(PIT_CHANNEL2, PIT_COUNT >> 8);
	out8(PIT_GATE, gate | 1);
	uint64_t start = read_counter();
	uint32_t start_ticks = apic_timer_left();
	while (!(in8(PIT_GATE) & 0x20))
		if (read_counter() - start > 1000000000ul)
			return false;
	*apic_ticks = start_ticks - apic_timer_left();
	*counter = read_counter() - start;
	*microseconds = PIT_COUNT * 1000000ul / PIT_FREQUENCY;
	return *counter > 100000 && *apic_ticks;
}
