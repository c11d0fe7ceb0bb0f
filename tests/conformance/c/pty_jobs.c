/*
 * Sessions and job control on a pseudo terminal: who has it, who may use it, which signals come when. The program is the one that holds the master;
 * each scene runs in a session of its own, whose leader says what it sees through a pipe that is copied at the end.
 */
#include "case.h"
#include <sys/ioctl.h>
#include <termios.h>

#define require(condition) do { if (!(condition)) { printf("FAILED %s: %s\n", #condition, error_name(errno)); fflush(stdout); _exit(99); } } while (0)

static int master;
static char name[64];
static volatile sig_atomic_t got[65];
static void note(int signal) { got[signal]++; }

static void catch(int signal, int flags)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = flags };
	sigaction(signal, &action, NULL);
}

static void show_signals(const char *what)
{
	printf("%s:", what);
	for (int i = 1; i < 65; i++)
		if (got[i]) {
			printf(" %d", i);
			got[i] = 0;
		}
	printf("\n");
}

static void make_pair(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	require(master >= 0 && unlockpt(master) == 0 && ptsname_r(master, name, sizeof name) == 0);
}

static int lead(void)
{
	require(setsid() == getpid());
	int terminal = open(name, O_RDWR);
	require(terminal >= 0);
	return terminal;
}

/* Runs a scene in a new session; its leader has the slave as controlling terminal */
#define scene(title, ...) do { \
	int said_[2], go_[2]; \
	make_pair(); \
	require(pipe(said_) == 0 && pipe(go_) == 0); \
	printf("-- %s\n", title); fflush(stdout); \
	pid_t leader_ = fork(); \
	if (leader_ == 0) { \
		close(said_[0]); dup2(said_[1], 1); close(said_[1]); close(go_[1]); \
		setvbuf(stdout, NULL, _IOLBF, 0); \
		int terminal = lead(), go = go_[0]; \
		(void)go; \
		close(master); \
		__VA_ARGS__; \
		fflush(stdout); _exit(0); \
	} \
	close(said_[1]); close(go_[0]); \
	finish(said_[0], go_[1], leader_); \
} while (0)

static void (*conductor)(int go, pid_t leader);

static void finish(int said, int go, pid_t leader)
{
	char text[4096];
	ssize_t count;
	if (conductor)
		conductor(go, leader);
	while ((count = read(said, text, sizeof text)) > 0)
		fwrite(text, 1, (size_t)count, stdout);
	show_status("leader", wait_for(leader));
	close(said);
	close(go);
	close(master);
}

static void wait_go(int go)
{
	char byte;
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
}

static void scene_session(void)
{
	scene("session", {
		int tty = open("/dev/tty", O_RDWR), none;
		check(tty >= 0);
		check(tcgetpgrp(terminal) == getpid());
		check(tcgetsid(terminal) == getpid());
		check(tcgetpgrp(tty) == getpid());
		show(ioctl(terminal, TIOCSCTTY, 0));
		pid_t other = in_child({
			require(setsid() == getpid());
			show(open("/dev/tty", O_RDWR));
			show(tcgetpgrp(terminal));
			show(tcgetsid(terminal));
			show(ioctl(terminal, TIOCSCTTY, 0));
			show(tcsetpgrp(terminal, getpid()));
			none = open(name, O_RDWR); /* another session's: not taken */
			check(none >= 0);
			show(open("/dev/tty", O_RDWR));
		});
		wait_for(other);
		pid_t member = in_child({
			show(ioctl(terminal, TIOCSCTTY, 0));
			show(ioctl(terminal, TIOCNOTTY));
			show(open("/dev/tty", O_RDWR));
			show(tcgetpgrp(terminal));
		});
		wait_for(member);
		check(tcgetpgrp(terminal) == getpid());
		show(tcsetpgrp(terminal, 1));
		show(tcsetpgrp(terminal, -5));
		show(tcsetpgrp(terminal, 99999));
		catch(SIGHUP, 0);
		catch(SIGCONT, 0);
		show(ioctl(terminal, TIOCNOTTY));
		show_signals("after giving it up");
		show(tcgetpgrp(terminal));
		show(open("/dev/tty", O_RDWR));
		show(ioctl(terminal, TIOCSCTTY, 0));
		check(tcgetpgrp(terminal) == getpid());
		int again = open(name, O_RDWR | O_NOCTTY);
		check(again >= 0);
	});
}

static void type_keys(int go, pid_t leader)
{
	(void)leader;
	static const char keys[] = { 3, 28, 26 };
	for (size_t i = 0; i < sizeof keys; i++) {
		sleep_ms(100);
		require(write(master, &keys[i], 1) == 1);
	}
	sleep_ms(100);
	struct winsize window = { 40, 120 };
	require(ioctl(master, TIOCSWINSZ, &window) == 0);
	int number = SIGQUIT;
	require(ioctl(master, TIOCSIG, number) == 0);
	show(ioctl(master, TIOCSIG, SIGUSR1));
	pid_t group;
	require(ioctl(master, TIOCGPGRP, &group) == 0);
	check(group == leader);
	sleep_ms(100);
	require(write(go, "x", 1) == 1);
}

static void scene_keys(void)
{
	conductor = type_keys;
	scene("keys", {
		static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGWINCH };
		for (int i = 0; i < 4; i++)
			catch(signals[i], SA_RESTART);
		pid_t background = in_child({
			setpgid(0, 0);
			wait_go(go);
			show_signals("background");
		});
		setpgid(background, background);
		show_status("background", wait_for(background));
		show_signals("foreground");
	});
	conductor = NULL;
}

static void scene_background(void)
{
	scene("background", {
		char byte;
		struct termios settings;
		int status;
		signal(SIGTTOU, SIG_DFL);
		pid_t child = in_child({
			setpgid(0, 0);
			show(read(terminal, &byte, 1));
		});
		setpgid(child, child);
		require(waitpid(child, &status, WUNTRACED) == child);
		show_status("reader", status);
		signal(SIGTTOU, SIG_IGN);
		show(tcsetpgrp(terminal, child));
		check(tcgetpgrp(terminal) == child);
		kill(-child, SIGKILL);
		show_status("reader", wait_for(child));
		show(tcsetpgrp(terminal, getpid()));

		child = in_child({
			setpgid(0, 0);
			signal(SIGTTIN, SIG_IGN);
			show(read(terminal, &byte, 1));
			signal(SIGTTIN, SIG_DFL);
			sigset_t set;
			sigemptyset(&set);
			sigaddset(&set, SIGTTIN);
			sigprocmask(SIG_BLOCK, &set, NULL);
			show(read(terminal, &byte, 1));
			catch(SIGTTIN, 0);
			sigprocmask(SIG_UNBLOCK, &set, NULL);
			show(read(terminal, &byte, 1));
			show_signals("caught");
			show(write(terminal, "x", 1));
			show(tcgetattr(terminal, &settings));
			fflush(stdout);
			_exit(3);
		});
		show_status("ignorer", wait_for(child));

		require(tcgetattr(terminal, &settings) == 0);
		settings.c_lflag |= TOSTOP;
		show(tcsetattr(terminal, TCSANOW, &settings));
		child = in_child({
			setpgid(0, 0);
			signal(SIGTTOU, SIG_DFL);
			show(write(terminal, "x", 1));
		});
		require(waitpid(child, &status, WUNTRACED) == child);
		show_status("writer", status);
		kill(child, SIGKILL);
		wait_for(child);
		child = in_child({
			setpgid(0, 0);
			signal(SIGTTOU, SIG_IGN);
			show(write(terminal, "x", 1));
			signal(SIGTTOU, SIG_DFL);
			sigset_t set;
			sigemptyset(&set);
			sigaddset(&set, SIGTTOU);
			sigprocmask(SIG_BLOCK, &set, NULL);
			show(write(terminal, "x", 1));
			show(tcsetattr(terminal, TCSANOW, &settings));
			show(tcsetpgrp(terminal, getpid()));
			check(tcgetpgrp(terminal) == getpid());
		});
		show_status("blocker", wait_for(child));
		show(tcsetpgrp(terminal, getpid()));
		child = in_child({
			setpgid(0, 0);
			catch(SIGTTOU, 0);
			show(tcsetattr(terminal, TCSANOW, &settings));
			show_signals("changer");
		});
		show_status("changer", wait_for(child));
		child = in_child({
			setpgid(0, 0);
			signal(SIGTTOU, SIG_DFL);
			tcflush(terminal, TCIFLUSH);
			_exit(5);
		});
		require(waitpid(child, &status, WUNTRACED) == child);
		show_status("flusher", status);
		show(tcsetpgrp(terminal, child));
		kill(child, SIGCONT);
		require(waitpid(child, &status, 0) == child);
		show_status("flusher", status);
	});
}

static void scene_orphans(void)
{
	scene("orphans", {
		int ready[2];
		char byte;
		require(pipe(ready) == 0);
		pid_t parent = in_child({
			setpgid(0, 0);
			in_child({ /* its group has this parent alone to look after it */
				setpgid(0, 0);
				catch(SIGHUP, 0);
				catch(SIGCONT, 0);
				write(ready[1], "x", 1);
				raise(SIGSTOP);
				show_signals("orphan");
				errno = 0;
				show(read(terminal, &byte, 1));
				catch(SIGTSTP, 0);
				signal(SIGTSTP, SIG_DFL);
				raise(SIGTSTP); /* does not stop it: nobody could continue it */
				printf("goes on\n");
				fflush(stdout);
				write(ready[1], "y", 1);
			});
			read(ready[0], &byte, 1);
			sleep_ms(100);
		});
		wait_for(parent);
		read(ready[0], &byte, 1);
	});
}

static void close_master(int go, pid_t leader)
{
	(void)go, (void)leader;
	sleep_ms(150);
	close(master);
	master = -1;
}

static void scene_hang_up(void)
{
	conductor = close_master;
	scene("hang-up of the line", {
		char byte;
		int out[2];
		require(pipe(out) == 0);
		catch(SIGHUP, 0);
		catch(SIGCONT, 0);
		signal(SIGTTOU, SIG_IGN);
		pid_t group = in_child({
			setpgid(0, 0);
			close(out[0]);
			while (!got[SIGHUP])
				sleep_ms(20);
			show_signals("foreground group");
			fflush(stdout);
		});
		setpgid(group, group);
		require(tcsetpgrp(terminal, group) == 0);
		while (!got[SIGHUP])
			sleep_ms(20);
		show_signals("leader");
		show(read(terminal, &byte, 1));
		show(write(terminal, "x", 1));
		show(open("/dev/tty", O_RDWR));
		/* the group is told when the leader ends */
	});
	conductor = NULL;
	scene("end of the leader", {
		struct termios settings;
		catch(SIGHUP, 0);
		catch(SIGCONT, 0);
		pid_t leader = getpid();
		in_child({
			while (getppid() == leader)
				sleep_ms(10);
			sleep_ms(50);
			show_signals("foreground");
			show(tcgetattr(terminal, &settings)); /* no hang-up of what is open */
			show(write(terminal, "x", 1));
			show(open("/dev/tty", O_RDWR));
			show(tcgetpgrp(terminal));
		});
		in_child({
			setpgid(0, 0);
			while (getppid() == leader)
				sleep_ms(10);
			sleep_ms(200);
			show_signals("background");
			show(write(terminal, "x", 1));
		});
		sleep_ms(100);
	});
}

static void scene_close_on_time(void)
{
	/* fcntl on an open terminal is obeyed by what follows */
	make_pair();
	int slave = open(name, O_RDWR | O_NOCTTY);
	char byte;
	require(slave >= 0);
	printf("-- non-blocking later\n");
	show(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	show(read(slave, &byte, 1));
	show(fcntl(slave, F_SETFL, O_RDWR));
	fflush(stdout);
	catch(SIGALRM, 0);
	struct itimerval timer = { .it_value = { 0, 100000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	show(read(slave, &byte, 1));
	struct pollfd item = { .fd = slave, .events = POLLIN };
	show(poll(&item, 1, 50));
	pid_t typist = in_child({ sleep_ms(100); write(master, "k\n", 2); });
	show(poll(&item, 1, 5000));
	wait_for(typist);
	show(read(slave, &byte, 1));
	close(slave);
	close(master);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	scene_session();
	scene_keys();
	scene_background();
	scene_orphans();
	scene_hang_up();
	scene_close_on_time();
	return 0;
}
