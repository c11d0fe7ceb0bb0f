/*
 * SQLite as other people's programs have it: journals of every kind, locks between processes and threads, the shared memory of its write-ahead log, a
 * process that dies in the middle of a transaction, queries over many rows. Links: -lsqlite3 -lm -lpthread
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sqlite3 *open_database(const char *path)
{
	sqlite3 *database;
	if (sqlite3_open(path, &database)) {
		printf("open: %s\n", sqlite3_errmsg(database));
		exit(1);
	}
	sqlite3_busy_timeout(database, 60000);
	return database;
}

static int print_row(void *name, int count, char **values, char **columns)
{
	(void)columns;
	printf("%s:", (char *)name);
	for (int i = 0; i < count; i++)
		printf(" %s", values[i] ? values[i] : "nothing");
	printf("\n");
	return 0;
}

static void run(sqlite3 *database, const char *name, const char *text)
{
	char *error = NULL;
	if (sqlite3_exec(database, text, print_row, (void *)name, &error))
		printf("%s: %s\n", name, error);
	sqlite3_free(error);
}

/* Rows that add one to a counter, each in a transaction of its own */
static void add(const char *path, int times)
{
	sqlite3 *database = open_database(path);
	for (int i = 0; i < times; i++)
		run(database, "add", "begin immediate; update counter set value = value + 1; insert into log (text) select 'row ' || value from counter; commit");
	sqlite3_close(database);
}

static void *adder(void *path)
{
	add(path, 10);
	return NULL;
}

static void together(const char *journal)
{
	char text[200];
	sqlite3 *database = open_database("together");
	snprintf(text, sizeof text, "pragma journal_mode=%s", journal);
	run(database, "journal", text);
	run(database, "make", "drop table if exists counter; drop table if exists log; create table counter (value); create table log (number integer primary key, text);"
		"insert into counter values (0)");
	sqlite3_close(database);
	fflush(stdout);
	for (int i = 0; i < 3; i++)
		if (!fork()) {
			add("together", 10);
			fflush(stdout);
			_exit(0);
		}
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, adder, "together");
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	while (wait(NULL) > 0)
		;
	database = open_database("together");
	run(database, "together", "select value, (select count(*) from log), (select max(number) from log) from counter");
	run(database, "check", "pragma integrity_check");
	sqlite3_close(database);
}

static void killed(void)
{
	int ready[2], status;
	char byte;
	if (pipe(ready))
		exit(1);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		sqlite3 *database = open_database("together");
		run(database, "child", "pragma cache_size=10; begin immediate; update counter set value = -1;"
			"with recursive many (n) as (select 1 union all select n + 1 from many where n < 5000) insert into log (text) select hex(randomblob(50)) from many");
		if (write(ready[1], "x", 1) != 1)
			exit(1);
		pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	sqlite3 *database = open_database("together"); /* rolls back */
	run(database, "after the kill", "select value, (select count(*) from log) from counter");
	run(database, "check", "pragma integrity_check");
	sqlite3_close(database);
}

static void much(void)
{
	sqlite3 *database = open_database("much");
	run(database, "much", "pragma journal_mode=off; pragma mmap_size=268435456; create table bell (number integer primary key, name text, weight real);"
		"begin; with recursive many (n) as (select 1 union all select n + 1 from many where n < 20000)"
		"insert into bell select n, 'bell ' || (n * 7919 % 20011), n / 7.0 from many; commit;"
		"create index names on bell (name);"
		"select count(*), sum(number), round(total(weight), 3), max(name) from bell;"
		"select a.number, b.number from bell a join bell b on a.name = 'bell ' || b.number where b.number between 5 and 8 order by 1;"
		"select length(group_concat(name)), count(distinct substr(name, 1, 7)) from bell where weight > 1000;"
		"update bell set weight = -weight where number % 3 = 0; delete from bell where number % 5 = 0; vacuum;"
		"select count(*), round(sum(weight), 3) from bell; pragma integrity_check; pragma page_count;"
		"select name, row_number() over (order by weight desc) from bell limit 3;"
		"select json_extract('{\"a\": [1, 2, {\"b\": 7}]}', '$.a[2].b'), printf('%.3e', 12345.678), date(1e9, 'unixepoch')");
	run(database, "wrong", "select * from none");
	run(database, "same", "insert into bell values (1, 'again', 0)");
	sqlite3_close(database);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	static const char *const journals[] = { "delete", "wal", "truncate", "persist", "memory" };
	for (unsigned i = 0; i < sizeof journals / sizeof *journals; i++)
		together(journals[i]);
	together("delete");
	killed();
	together("wal");
	killed();
	much();
	fflush(stdout);
	if (access("together-wal", F_OK) || access("together-shm", F_OK))
		printf("no files of the log are left\n");
}
