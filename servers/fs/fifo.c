/* FIFOs; fifo.h has the rules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "fifo.h"
#include "recover.h"
#include "request.h"

#define IOCTL_FIONREAD 0x541bu

enum wait_kind { WAIT_OPEN, WAIT_READ, WAIT_WRITE };

/* A call set aside. Kept in order of arrival. */
struct fifo_wait {
	struct fifo_wait *next;
	enum wait_kind kind;
	uint32_t reply;
	uint32_t flags;        /* WAIT_OPEN: Linux's open flags */
	struct fifo_file *file;/* WAIT_READ, WAIT_WRITE */
	size_t length, done;   /* WAIT_READ: wanted; WAIT_WRITE: bytes given and taken */
	unsigned char data[];
};

struct fifo {
	struct stored stored;
	struct fifo *next;     /* of all FIFOs that have been opened */
	struct node *node;
	uint32_t readers, writers;
	bool had_writer;       /* since the last reader came first: then no writer means hang-up */
	handle_t event[3];     /* readiness for reader, writer, both; by access mode */
	handle_t listener;
	uint64_t word_base;
	size_t head, count;    /* ring */
	struct fifo_wait *waits;
	unsigned char *ring;   /* FIFO_CAPACITY bytes in the store */
};
_Static_assert(FIFO_CAPACITY == STORE_RING_SIZE, "the ring lies in the store");

/* An open object; its index is its record's number */
struct fifo_file { struct stored stored; struct fifo *fifo; uint32_t access, flags; uint32_t index, generation; };

enum fifo_word { FIFO_NODE = 1, FIFO_EVENTS, FIFO_EVENT_HAD_WRITER, FIFO_HEAD, FIFO_COUNT };
enum file_word { FILE_FIFO_FLAGS = 1, FILE_GENERATION };

static struct fifo *fifos;
static struct fifo_file **files;
static uint32_t *generations;
static uint32_t file_room;

/* -- open objects by id */

static uint64_t file_id(const struct fifo_file *file) { return (uint64_t)file->generation << 24 | file->index; }

static struct fifo_file *file_find(uint64_t id)
{
	uint32_t index = id & 0xffffff;
	return index < file_room && files[index] && generations[index] == (uint32_t)(id >> 24) ? files[index] : NULL;
}

/* Room in the table for a number. */
static bool files_reserve(uint32_t index)
{
	uint32_t room = file_room ? file_room : 16;
	while (room <= index)
		room *= 2;
	if (room == file_room)
		return true;
	struct fifo_file **more = room < 0x1000000 ? realloc(files, room * sizeof *more) : NULL;
	if (!more)
		return false;
	files = more;
	uint32_t *more_generations = realloc(generations, room * sizeof *more_generations);
	if (!more_generations)
		return false;
	generations = more_generations;
	memset(files + file_room, 0, (room - file_room) * sizeof *files);
	memset(generations + file_room, 0, (room - file_room) * sizeof *generations);
	file_room = room;
	return true;
}

static struct fifo_file *file_create(struct fifo *fifo, uint32_t flags)
{
	struct fifo_file *file = calloc(1, sizeof *file);
	if (!file || !stored_take(&file->stored, STORE_FIFO_FILE)) {
		free(file);
		return NULL;
	}
	uint32_t index = file->stored.index;
	if (!files_reserve(index)) {
		stored_gone(&file->stored);
		free(file);
		return NULL;
	}
	file->fifo = fifo;
	file->access = flags & O_ACCMODE;
	file->flags = flags;
	file->index = index;
	/* what a record says of one that has gone still counts */
	file->generation = ((uint32_t)store_record(STORE_FIFO_FILE, index)[FILE_GENERATION] + 1) & 0x7fffffff;
	generations[index] = file->generation;
	files[index] = file;
	node_get(fifo->node);
	return file;
}

static void file_forget(struct fifo_file *file)
{
	struct node *node = file->fifo->node;
	files[file->index] = NULL;
	stored_gone(&file->stored);
	free(file);
	node_put(node); /* may free the FIFO */
}

struct node *fifo_node(uint64_t id)
{
	struct fifo_file *file = file_find(id);
	return file ? file->fifo->node : NULL;
}

/* -- the ring and readiness */

static void ring_put(struct fifo *fifo, const unsigned char *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		size_t place = (fifo->head + fifo->count) % FIFO_CAPACITY;
		size_t part = FIFO_CAPACITY - place < length - done ? FIFO_CAPACITY - place : length - done;
		memcpy(fifo->ring + place, data + done, part);
		fifo->count += part;
		done += part;
	}
	stored_changed(&fifo->stored);
}

static void ring_peek(const struct fifo *fifo, unsigned char *data, size_t length)
{
	size_t part = FIFO_CAPACITY - fifo->head < length ? FIFO_CAPACITY - fifo->head : length;
	memcpy(data, fifo->ring + fifo->head, part);
	memcpy(data + part, fifo->ring, length - part);
}

static void ring_drop(struct fifo *fifo, size_t length)
{
	fifo->head = (fifo->head + length) % FIFO_CAPACITY;
	fifo->count -= length;
	stored_changed(&fifo->stored);
}

/* What ring_drop took goes back; nothing came in between. */
static void ring_undrop(struct fifo *fifo, size_t length)
{
	fifo->head = (fifo->head + FIFO_CAPACITY - length) % FIFO_CAPACITY;
	fifo->count += length;
	stored_changed(&fifo->stored);
}

static void tell_readiness(struct fifo *fifo)
{
	uint32_t in = (fifo->count ? READY_IN : 0) | (!fifo->writers && fifo->had_writer ? READY_HANGUP : 0);
	uint32_t out = (FIFO_CAPACITY - fifo->count >= FIFO_ATOMIC ? READY_OUT : 0) | (!fifo->readers ? READY_ERROR : 0);
	const uint32_t value[3] = { in, out, (in | out) & ~(READY_HANGUP | READY_ERROR) };
	for (int i = 0; i < 3; i++)
		event_update(fifo->event[i], ~0u, value[i]);
}

static unsigned char answer_buffer[MESSAGE_RANGE_MAX];

/* Gives waiting readers and writers what they can have now */
static void move_bytes(struct fifo *fifo)
{
	bool again = true;
	while (again) {
		again = false;
		for (struct fifo_wait **place = &fifo->waits, *wait; (wait = *place);) {
			bool finished = false;
			if (wait->kind == WAIT_READ && (fifo->count || !fifo->writers)) {
				size_t part = fifo->count < wait->length ? fifo->count : wait->length;
				ring_peek(fifo, answer_buffer, part);
				ring_drop(fifo, part);
				store_commit(); /* should this server die now, the bytes do not come twice: the reader has them, or is told of an error */
				if (server_answer(wait->reply, (int64_t)part, NULL, answer_buffer, part) != 0)
					ring_undrop(fifo, part);
				finished = true;
			} else if (wait->kind == WAIT_WRITE && !fifo->readers) {
				server_answer(wait->reply, wait->done ? (int64_t)wait->done : -EPIPE, NULL, NULL, 0);
				finished = true;
			} else if (wait->kind == WAIT_WRITE) {
				size_t room = FIFO_CAPACITY - fifo->count, part = wait->length - wait->done;
				if (wait->length > FIFO_ATOMIC && part > room)
					part = room;
				if (part && part <= room) {
					ring_put(fifo, wait->data + wait->done, part);
					wait->done += part;
					again = true;
				}
				if (wait->done == wait->length) {
					store_commit();
					server_answer(wait->reply, (int64_t)wait->length, NULL, NULL, 0);
					finished = true;
				}
			}
			if (finished) {
				*place = wait->next;
				free(wait);
				again = true;
			} else
				place = &wait->next;
		}
	}
	tell_readiness(fifo);
}

static struct fifo_wait *wait_add(struct fifo *fifo, enum wait_kind kind, size_t bytes)
{
	struct fifo_wait *wait = calloc(1, sizeof *wait + bytes);
	if (!wait)
		return NULL;
	wait->kind = kind;
	struct fifo_wait **place = &fifo->waits;
	while (*place)
		place = &(*place)->next;
	*place = wait;
	return wait;
}

/* -- opening */

static struct fifo *fifo_create(struct node *node, handle_t listener, uint64_t word_base)
{
	struct fifo *fifo = calloc(1, sizeof *fifo);
	if (!fifo || !stored_take(&fifo->stored, STORE_FIFO)) {
		free(fifo);
		return NULL;
	}
	fifo->ring = store_ring(fifo->stored.index);
	fifo->node = node;
	fifo->listener = listener;
	fifo->word_base = word_base;
	for (int i = 0; i < 3; i++) {
		int64_t event = event_create(0, EVENT_MASK);
		if (event < 0) {
			while (--i >= 0)
				handle_close(fifo->event[i]);
			stored_gone(&fifo->stored);
			free(fifo);
			return NULL;
		}
		fifo->event[i] = (handle_t)event;
	}
	node->content.fifo = fifo;
	fifo->next = fifos;
	fifos = fifo;
	return fifo;
}

void fifo_destroy(struct fifo *fifo)
{
	struct fifo **place = &fifos;
	if (!fifo)
		return;
	while (*place != fifo)
		place = &(*place)->next;
	*place = fifo->next;
	for (int i = 0; i < 3; i++)
		store_handle_close_later(fifo->event[i]);
	memobj_zero(fs_state, store_ring_offset(fifo->stored.index), FIFO_CAPACITY);
	stored_gone(&fifo->stored);
	free(fifo);
}

/* Nobody has it open or wants to: what is left is a name. */
static void destroy_idle(struct node *node)
{
	struct fifo *fifo = node->content.fifo;
	if (!fifo || fifo->readers || fifo->writers || fifo->waits)
		return;
	node->content.fifo = NULL;
	fifo_destroy(fifo);
}

static void count_open(struct fifo *fifo, uint32_t access)
{
	if (access != O_WRONLY)
		fifo->readers++;
	if (access != O_RDONLY) {
		fifo->writers++;
		fifo->had_writer = true;
	}
	stored_changed(&fifo->stored);
}

static void count_close(struct fifo *fifo, uint32_t access)
{
	if (access != O_WRONLY)
		fifo->readers--;
	if (access != O_RDONLY)
		fifo->writers--;
	if (!fifo->readers && !fifo->writers) {
		fifo->head = fifo->count = 0;
		fifo->had_writer = false;
	}
	stored_changed(&fifo->stored);
}

/* Makes the open object and its description; counts it. The description's handle or an error. */
static int64_t make_description(struct fifo *fifo, uint32_t flags, struct fifo_file **result)
{
	struct fifo_file *file = file_create(fifo, flags);
	if (!file)
		return -ENOMEM;
	int64_t control = client_create(fifo->listener, fifo->word_base | file_id(file));
	if (control < 0) {
		file_forget(file);
		return control;
	}
	uint32_t access = flags & O_ACCMODE;
	struct description_request create = {
		.kind = DESCRIPTION_SERVICE,
		.flags = DESCRIPTION_INTERRUPTIBLE | (flags & O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0),
		.memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = (handle_t)control, .event = fifo->event[access],
		.rights = (access != O_WRONLY ? RIGHT_READ : 0) | (access != O_RDONLY ? RIGHT_WRITE : 0),
		.cookie = FILE_COOKIE(FILE_KIND_PIPE, flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)),
	};
	int64_t description = description_create(&create);
	handle_close((handle_t)control);
	if (description < 0) {
		file_forget(file); /* the port's close message finds nothing any more */
		return description;
	}
	count_open(fifo, access);
	*result = file;
	return description;
}

static struct message open_reply(const struct node *node, handle_t description)
{
	struct message message = { .word = { 0, node->inode, node->mode, FILE_KIND_PIPE }, .handle = { description }, .handle_count = 1, .move = 1 };
	return message;
}

/* Completes the waiting opens of the other side than access */
static void complete_opens(struct fifo *fifo, uint32_t access)
{
	for (struct fifo_wait **place = &fifo->waits, *wait; (wait = *place);) {
		if (wait->kind != WAIT_OPEN || (wait->flags & O_ACCMODE) == access) {
			place = &wait->next;
			continue;
		}
		*place = wait->next;
		struct fifo_file *file = NULL;
		int64_t description = make_description(fifo, wait->flags, &file);
		if (description < 0)
			server_answer(wait->reply, description, NULL, NULL, 0);
		else {
			struct message message = open_reply(fifo->node, (handle_t)description);
			store_commit();
			if (server_answer_message(wait->reply, &message) < 0) { /* the description is closed then */
				count_close(fifo, file->access);
				file_forget(file);
			}
		}
		struct node *node = fifo->node;
		free(wait);
		node_put(node); /* the wait's own reference; the caller holds another */
	}
}

int64_t fifo_open(struct server_request *request, struct node *node, uint32_t flags, bool may_wait, handle_t listener, uint64_t word_base)
{
	uint32_t access = flags & O_ACCMODE;
	if (access == O_ACCMODE)
		return -EINVAL;
	struct fifo *fifo = node->content.fifo ? node->content.fifo : fifo_create(node, listener, word_base);
	if (!fifo)
		return -ENOMEM;

	node_get(node);
	count_open(fifo, access); /* for the time of this call, so that waiting opens find their partner */
	complete_opens(fifo, access == O_RDWR ? O_ACCMODE : access);
	bool partner = access == O_RDONLY ? fifo->writers : fifo->readers;
	int64_t result = 0;
	if (partner || access == O_RDWR || (access == O_RDONLY && (flags & O_NONBLOCK))) {
		struct fifo_file *file;
		int64_t description = make_description(fifo, flags, &file);
		if (description >= 0) {
			request->reply_word[1] = node->inode;
			request->reply_word[2] = node->mode;
			request->reply_word[3] = FILE_KIND_PIPE;
			server_reply_handle(request, (handle_t)description, true);
		} else
			result = description;
	} else if (access == O_WRONLY && (flags & O_NONBLOCK))
		result = -ENXIO;
	else if (!may_wait)
		result = -EWOULDBLOCK;
	else {
		struct fifo_wait *wait = wait_add(fifo, WAIT_OPEN, 0);
		if (wait) {
			wait->flags = flags;
			wait->reply = server_defer(request);
			node_get(node);
			result = SERVER_DEFERRED;
		} else
			result = -ENOMEM;
	}
	if (access != O_WRONLY)
		fifo->readers--;
	if (access != O_RDONLY)
		fifo->writers--;
	if (!fifo->readers && !fifo->writers)
		fifo->had_writer = false;
	stored_changed(&fifo->stored);
	move_bytes(fifo);
	destroy_idle(node);
	node_put(node);
	return result;
}

/* -- requests */

static int64_t fifo_read(struct server_request *request, struct fifo_file *file)
{
	struct fifo *fifo = file->fifo;
	size_t length = request->word[2] < request->room ? request->word[2] : request->room;
	if (length == 0 || (!fifo->count && !fifo->writers))
		return 0;
	if (!fifo->count && (request->word[3] & DESCRIPTION_NON_BLOCKING))
		return -EAGAIN;
	struct fifo_wait *wait = wait_add(fifo, WAIT_READ, 0);
	if (!wait)
		return -ENOMEM;
	wait->file = file;
	wait->length = length;
	wait->reply = server_defer(request); /* answered explicitly even if at once: bytes go only to a reader who is still there */
	move_bytes(fifo);
	return SERVER_DEFERRED;
}

static int64_t fifo_write(struct server_request *request, struct fifo_file *file)
{
	struct fifo *fifo = file->fifo;
	if (!fifo->readers)
		return -EPIPE;
	size_t room = FIFO_CAPACITY - fifo->count, length = request->size;
	for (struct fifo_wait *wait = fifo->waits; wait; wait = wait->next)
		if (wait->kind == WAIT_WRITE)
			room = 0; /* in order */
	if (length <= room || (room && (request->word[3] & DESCRIPTION_NON_BLOCKING) && length > FIFO_ATOMIC)) {
		length = length < room ? length : room;
		ring_put(fifo, request->data, length);
		move_bytes(fifo);
		return (int64_t)length;
	}
	if (request->word[3] & DESCRIPTION_NON_BLOCKING)
		return -EAGAIN;
	struct fifo_wait *wait = wait_add(fifo, WAIT_WRITE, length);
	if (!wait)
		return -ENOMEM;
	memcpy(wait->data, request->data, length);
	wait->file = file;
	wait->length = length;
	wait->reply = server_defer(request);
	move_bytes(fifo);
	return SERVER_DEFERRED;
}

int64_t fifo_request(struct server_request *request, uint64_t id)
{
	struct fifo_file *file = file_find(id);
	if (!file)
		return -EBADF;
	switch (request->word[0]) {
	case FILE_READ:
		return file->access == O_WRONLY ? -EBADF : fifo_read(request, file);
	case FILE_WRITE:
		return file->access == O_RDONLY ? -EBADF : fifo_write(request, file);
	case FILE_IOCTL:
		if ((uint32_t)request->word[1] == IOCTL_FIONREAD) {
			int count = (int)file->fifo->count;
			memcpy(request->reply_buffer, &count, sizeof count);
			server_reply_bytes(request, request->reply_buffer, sizeof count);
			return 0;
		}
		return -ENOTTY;
	default:
		return -ENOSYS;
	}
}

void fifo_closed(uint64_t id)
{
	struct fifo_file *file = file_find(id);
	if (!file)
		return;
	struct fifo *fifo = file->fifo;
	for (struct fifo_wait **place = &fifo->waits, *wait; (wait = *place);) {
		if (wait->kind != WAIT_OPEN && wait->file == file) { /* its caller is gone with the description */
			server_answer(wait->reply, -EBADF, NULL, NULL, 0);
			*place = wait->next;
			free(wait);
		} else
			place = &wait->next;
	}
	struct node *node = fifo->node;
	node_get(node);
	count_close(fifo, file->access);
	move_bytes(fifo);
	file_forget(file);
	destroy_idle(node);
	node_put(node);
}

/* -- after a predecessor's death. Its rings are as it left them; calls that waited have failed. */

static void fifo_compose(const struct stored *stored, uint64_t *word)
{
	const struct fifo *fifo = (const struct fifo *)((const char *)stored - offsetof(struct fifo, stored));
	word[FIFO_NODE] = node_id(fifo->node);
	word[FIFO_EVENTS] = (uint32_t)fifo->event[0] | (uint64_t)(uint32_t)fifo->event[1] << 32;
	word[FIFO_EVENT_HAD_WRITER] = (uint32_t)fifo->event[2] | (uint64_t)fifo->had_writer << 32;
	word[FIFO_HEAD] = fifo->head;
	word[FIFO_COUNT] = fifo->count;
}

static void file_compose(const struct stored *stored, uint64_t *word)
{
	const struct fifo_file *file = (const struct fifo_file *)((const char *)stored - offsetof(struct fifo_file, stored));
	word[FILE_FIFO_FLAGS] = file->fifo->stored.index | (uint64_t)file->flags << 32;
	word[FILE_GENERATION] = file->generation;
}

void fifo_start(void)
{
	store_set_composer(STORE_FIFO, fifo_compose);
	store_set_composer(STORE_FIFO_FILE, file_compose);
}

static struct fifo *fifo_adopt(uint32_t index)
{
	const uint64_t *word = store_record(STORE_FIFO, index);
	struct node *node = node_find(word[FIFO_NODE]);
	handle_t event[3] = { (handle_t)word[FIFO_EVENTS], (handle_t)(word[FIFO_EVENTS] >> 32), (handle_t)word[FIFO_EVENT_HAD_WRITER] };
	if (!node || !S_ISFIFO(node->mode) || node->channel || node->content.fifo || word[FIFO_HEAD] >= FIFO_CAPACITY || word[FIFO_COUNT] > FIFO_CAPACITY)
		return NULL;
	for (int i = 0; i < 3; i++) {
		struct handle_info info;
		if (event[i] < 0 || handle_get(event[i], &info) || info.kind != KIND_EVENT)
			return NULL;
	}
	struct fifo *fifo = calloc(1, sizeof *fifo);
	if (!fifo)
		abort();
	stored_adopt(&fifo->stored, STORE_FIFO, index);
	fifo->node = node;
	memcpy(fifo->event, event, sizeof event);
	fifo->had_writer = word[FIFO_EVENT_HAD_WRITER] >> 32;
	fifo->head = word[FIFO_HEAD];
	fifo->count = word[FIFO_COUNT];
	fifo->ring = store_ring(index);
	fifo->listener = fs_listener;
	fifo->word_base = WORD(WORD_FIFO, 0);
	node->content.fifo = fifo;
	fifo->next = fifos;
	fifos = fifo;
	return fifo;
}

static bool file_adopt(struct fifo *const *found, uint32_t index)
{
	const uint64_t *word = store_record(STORE_FIFO_FILE, index);
	uint32_t number = (uint32_t)word[FILE_FIFO_FLAGS];
	struct fifo *fifo = number < store_used(STORE_FIFO) ? found[number] : NULL;
	struct fifo_file *file = fifo && files_reserve(index) ? calloc(1, sizeof *file) : NULL;
	if (!file)
		return false;
	stored_adopt(&file->stored, STORE_FIFO_FILE, index);
	file->fifo = fifo;
	file->flags = (uint32_t)(word[FILE_FIFO_FLAGS] >> 32);
	file->access = file->flags & O_ACCMODE;
	file->index = index;
	file->generation = (uint32_t)word[FILE_GENERATION];
	if (file->access == O_ACCMODE || !recover_port_lives(WORD(WORD_FIFO, file_id(file)))) {
		free(file);
		return false;
	}
	generations[index] = file->generation;
	files[index] = file;
	node_get(fifo->node);
	count_open(fifo, file->access);
	return true;
}

void fifo_recover(void)
{
	struct fifo **found = calloc(store_used(STORE_FIFO) + 1ul, sizeof *found);
	if (!found)
		abort();
	for (uint32_t index = 0; index < store_used(STORE_FIFO); index++) {
		enum store_check check = store_check(STORE_FIFO, index);
		found[index] = check == STORE_GOOD ? fifo_adopt(index) : NULL;
		if (!found[index] && check != STORE_FREE)
			store_drop(STORE_FIFO, index);
	}
	for (uint32_t index = 0; index < store_used(STORE_FIFO_FILE); index++) {
		enum store_check check = store_check(STORE_FIFO_FILE, index);
		if (check != STORE_FREE && !(check == STORE_GOOD && file_adopt(found, index)))
			store_drop(STORE_FIFO_FILE, index);
	}
	for (uint32_t index = 0; index < store_used(STORE_FIFO); index++) {
		if (!found[index])
			continue;
		for (int i = 0; i < 3; i++)
			recover_keep(found[index]->event[i]);
		tell_readiness(found[index]);
	}
	free(found);
}

void fifo_recover_end(struct node *node)
{
	if (S_ISFIFO(node->mode) && !node->channel)
		destroy_idle(node);
}

/* Where the call with that reply waits, and at which FIFO; or NULL. */
static struct fifo_wait **wait_find(uint32_t reply, struct fifo **found)
{
	for (struct fifo *fifo = fifos; fifo; fifo = fifo->next) {
		struct fifo_wait **place = &fifo->waits;
		while (*place && (*place)->reply != reply)
			place = &(*place)->next;
		*found = fifo;
		if (*place)
			return place;
	}
	return NULL;
}

bool fifo_interrupted(uint32_t reply)
{
	struct fifo *fifo;
	struct fifo_wait **place = wait_find(reply, &fifo), *wait = place ? *place : NULL;
	if (!wait)
		return false;
	struct node *node = fifo->node;
	bool opening = wait->kind == WAIT_OPEN;
	*place = wait->next;
	server_answer(reply, wait->kind == WAIT_WRITE && wait->done ? (int64_t)wait->done : -EINTR, NULL, NULL, 0);
	free(wait);
	move_bytes(fifo); /* a write behind it may go on */
	destroy_idle(node);
	if (opening)
		node_put(node); /* may free the FIFO */
	return true;
}
