/* Three threads that write a line each. */
#include <pthread.h>
#include <unistd.h>

static void *work(void *argument)
{
	write(1, "thread\n", 7);
	return argument;
}

int main(void)
{
	pthread_t thread[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
