/* Queues of events about files; watch.h has the rules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "recover.h"
#include "request.h"
#include "watch.h"

#define QUEUE_MAX 16384u   /* events, as Linux's default */
#define WATCHES_MAX 65536u
#define QUEUES_MAX 1024u
#define INDEX_BITS 16
#define IOCTL_FIONREAD 0x541bu
#define MASK_FLAGS (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT)

struct event { struct event *next; struct inotify_event head; char name[]; };
struct wait { struct wait *next; uint32_t reply; size_t room; };
struct watch {
	struct stored stored;
	struct watch *node_next, *queue_next;
	struct queue *queue;
	struct node *node;
	int number;
	uint32_t mask;
};
struct queue {
	struct stored stored;      /* its record's number is its index */
	uint32_t index, generation;
	handle_t event;            /* readiness */
	struct event *first, **end;
	unsigned count;
	size_t bytes;
	struct wait *waits;        /* reads set aside, oldest first */
	struct watch *watches;
	int next_number;
};
/* A file whose content is observed */
struct changing { struct changing *next; struct node *node; uint64_t stamp; };

unsigned watch_total;
static struct queue *queues[QUEUES_MAX];
static uint32_t generations[QUEUES_MAX];
enum queue_word { QUEUE_GENERATION = 1, QUEUE_EVENT, QUEUE_NEXT_NUMBER };
enum watch_word { WATCH_QUEUE = 1, WATCH_NODE, WATCH_NUMBER_MASK };
static struct changing *changing;
static handle_t changes = HANDLE_NONE; /* waitset of memory objects; words are node ids */

/* -- queues */

static struct queue *queue_find(uint64_t id)
{
	uint32_t index = id & ((1u << INDEX_BITS) - 1);
	return index < QUEUES_MAX && queues[index] && generations[index] == (uint32_t)(id >> INDEX_BITS) ? queues[index] : NULL;
}

static uint64_t queue_id(const struct queue *queue)
{
	return (uint64_t)queue->generation << INDEX_BITS | queue->index;
}

static void tell_ready(struct queue *queue)
{
	event_update(queue->event, ~0ul, queue->first ? READY_IN : 0);
}

static size_t event_size(const struct event *event)
{
	return sizeof event->head + event->head.len;
}

static void event_drop(struct queue *queue)
{
	struct event *event = queue->first;
	queue->first = event->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->count--;
	queue->bytes -= event_size(event);
	free(event);
}

/* As many whole events as fit into room bytes: how many, and their bytes in *used. */
static unsigned events_pack(const struct queue *queue, unsigned char *buffer, size_t room, size_t *used)
{
	unsigned count = 0;
	*used = 0;
	for (const struct event *event = queue->first; event && *used + event_size(event) <= room; event = event->next, count++) {
		memcpy(buffer + *used, &event->head, sizeof event->head);
		memcpy(buffer + *used + sizeof event->head, event->name, event->head.len);
		*used += event_size(event);
	}
	return count;
}

static unsigned char answer_buffer[MESSAGE_RANGE_MAX];

/* Gives waiting readers what there is. A reader who has gone takes nothing with it. */
static void serve_waits(struct queue *queue)
{
	while (queue->first && queue->waits) {
		struct wait *wait = queue->waits;
		size_t used;
		unsigned count = events_pack(queue, answer_buffer, wait->room, &used);
		queue->waits = wait->next;
		if (server_answer(wait->reply, count ? (int64_t)used : -EINVAL, NULL, answer_buffer, used) == 0)
			while (count--)
				event_drop(queue);
		free(wait);
	}
	tell_ready(queue);
}

static bool same_event(const struct event *event, int number, uint32_t mask, const char *name, size_t length)
{
	if (event->head.wd != number || event->head.mask != mask || mask & IN_IGNORED || (event->head.len != 0) != (length != 0))
		return false;
	return !length || (strlen(event->name) == length && !memcmp(event->name, name, length));
}

/* Queues an event; a repetition of the newest one is left out. */
static void queue_put(struct queue *queue, int number, uint32_t mask, uint32_t cookie, const char *name, size_t length)
{
	struct event *last = queue->first ? (struct event *)((char *)queue->end - offsetof(struct event, next)) : NULL;
	size_t room = length ? (length + 1 + sizeof(struct inotify_event) - 1) / sizeof(struct inotify_event) * sizeof(struct inotify_event) : 0;
	if (last && same_event(last, number, mask, name, length))
		return;
	if (queue->count >= QUEUE_MAX) {
		if (queue->count > QUEUE_MAX)
			return;
		number = -1;
		mask = IN_Q_OVERFLOW;
		cookie = 0;
		length = room = 0;
	}
	struct event *event = calloc(1, sizeof *event + room);
	if (!event)
		return;
	event->head = (struct inotify_event){ .wd = number, .mask = mask, .cookie = cookie, .len = (uint32_t)room };
	memcpy(event->name, name, length);
	*queue->end = event;
	queue->end = &event->next;
	queue->count++;
	queue->bytes += event_size(event);
	serve_waits(queue);
}

/* -- watches */

/* Takes the watch away and says so. */
static void watch_end(struct watch *watch)
{
	struct watch **place = &watch->node->watches;
	while (*place != watch)
		place = &(*place)->node_next;
	*place = watch->node_next;
	place = &watch->queue->watches;
	while (*place != watch)
		place = &(*place)->queue_next;
	*place = watch->queue_next;
	queue_put(watch->queue, watch->number, IN_IGNORED, 0, NULL, 0);
	watch_total--;
	stored_gone(&watch->stored);
	free(watch);
}

static void watch_tell(struct watch *watch, uint32_t mask, uint32_t cookie, bool is_directory, const char *name, size_t length)
{
	if (!(watch->mask & mask))
		return;
	if (is_directory && !(mask & (IN_MOVE_SELF | IN_DELETE_SELF)))
		mask |= IN_ISDIR;
	queue_put(watch->queue, watch->number, mask, cookie, name, length);
	if (watch->mask & IN_ONESHOT)
		watch_end(watch);
}

void watch_name_event(struct node *directory, const char *name, size_t length, uint32_t mask, uint32_t cookie, bool is_directory)
{
	for (struct watch *watch = directory->watches, *next; watch; watch = next) {
		next = watch->node_next;
		watch_tell(watch, mask, cookie, is_directory, name, length);
	}
}

/* A name of node in directory, or NULL. */
static const struct entry *name_in(const struct node *directory, const struct node *node)
{
	const struct entry *entry;
	for (uint64_t after = COOKIE_DOT_DOT; (entry = tree_next_entry(directory, after)); after = entry->cookie)
		if (entry->node == node)
			return entry;
	return NULL;
}

void watch_node_event(struct node *node, uint32_t mask, bool parents)
{
	bool is_directory = S_ISDIR(node->mode);
	for (unsigned i = 0; parents && i < QUEUES_MAX; i++)
		for (struct watch *watch = queues[i] ? queues[i]->watches : NULL, *next; watch; watch = next) {
			next = watch->queue_next;
			const struct entry *entry = S_ISDIR(watch->node->mode) && watch->mask & mask ? name_in(watch->node, node) : NULL;
			if (entry)
				watch_tell(watch, mask, 0, is_directory, entry->name, entry->length);
		}
	for (struct watch *watch = node->watches, *next; watch; watch = next) {
		next = watch->node_next;
		watch_tell(watch, mask, 0, is_directory, NULL, 0);
	}
}

void tree_watches_release(struct node *node)
{
	while (node->watches) {
		struct watch *watch = node->watches;
		bool once = watch->mask & IN_ONESHOT && watch->mask & IN_DELETE_SELF;
		watch_tell(watch, IN_DELETE_SELF, 0, false, NULL, 0);
		if (!once)
			watch_end(watch);
	}
}

uint32_t watch_cookie(void)
{
	static uint32_t cookie;
	return ++cookie ? cookie : ++cookie;
}

/* -- content that is written past this server */

static bool modify_wanted(const struct node *node)
{
	for (const struct watch *watch = node->watches; watch; watch = watch->node_next)
		if (watch->mask & IN_MODIFY)
			return true;
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		for (const struct watch *watch = queues[i] ? queues[i]->watches : NULL; watch; watch = watch->queue_next)
			if (watch->mask & IN_MODIFY && S_ISDIR(watch->node->mode) && name_in(watch->node, node))
				return true;
	return false;
}

static uint64_t stamp_of(const struct node *node)
{
	struct memobj_info info = { 0 };
	memobj_get(node->content.memobj, &info);
	return info.modified;
}

static void changing_look(struct changing *file)
{
	uint64_t stamp = stamp_of(file->node);
	if (stamp == file->stamp)
		return;
	file->stamp = stamp;
	watch_node_event(file->node, IN_MODIFY, true);
}

void watch_look_now(void)
{
	struct waitset_result results[16];
	int64_t count;
	if (!changing)
		return;
	while ((count = waitset_wait(changes, results, 16, 0)) > 0)
		for (int64_t i = 0; i < count; i++)
			for (struct changing *file = changing; file; file = file->next)
				if (node_id(file->node) == results[i].word)
					changing_look(file);
}

void watch_resized(struct node *node)
{
	for (struct changing *file = changing; file; file = file->next)
		if (file->node == node)
			file->stamp = stamp_of(node);
	watch_node_event(node, IN_MODIFY, true);
}

static void changes_ready(void *context, uint32_t ready)
{
	(void)context, (void)ready;
	watch_look_now();
}

static bool changes_start(void)
{
	if (changes != HANDLE_NONE)
		return true;
	int64_t created = waitset_create();
	if (created < 0)
		return false;
	if (server_add_source((handle_t)created, READY_IN, changes_ready, NULL) < 0) {
		handle_close((handle_t)created);
		return false;
	}
	changes = (handle_t)created;
	return true;
}

void watch_writers(struct node *node)
{
	struct changing **place = &changing, *file;
	struct waitset_entry entry = { .events = READY_IN, .options = WAITSET_EDGE, .word = node_id(node) };
	while ((file = *place) && file->node != node)
		place = &file->next;
	bool wanted = watch_total && node->writers && S_ISREG(node->mode) && !node->forward && modify_wanted(node);
	if (file && !wanted) {
		changing_look(file);
		waitset_control(changes, WAITSET_REMOVE, node->content.memobj, &entry);
		*place = file->next;
		free(file);
	} else if (!file && wanted && changes_start()) {
		file = calloc(1, sizeof *file);
		if (!file)
			return;
		*file = (struct changing){ .next = changing, .node = node, .stamp = stamp_of(node) };
		if (waitset_control(changes, WAITSET_ADD, node->content.memobj, &entry) < 0) {
			free(file);
			return;
		}
		changing = file;
	}
}

/* -- requests */

int64_t watch_create(struct server_request *request)
{
	uint32_t flags = (uint32_t)request->word[1];
	struct queue *queue = calloc(1, sizeof *queue);
	if (!queue || !stored_take(&queue->stored, STORE_QUEUE)) {
		free(queue);
		return queue ? -EMFILE : -ENOMEM;
	}
	uint32_t index = queue->stored.index;
	int64_t event = event_create(0, EVENT_MASK);
	if (event < 0) {
		stored_gone(&queue->stored);
		free(queue);
		return event;
	}
	queue->event = (handle_t)event;
	queue->end = &queue->first;
	queue->next_number = 1;
	queue->index = index;
	/* what a record says of one that has gone still counts */
	queue->generation = generations[index] = (uint32_t)store_record(STORE_QUEUE, index)[QUEUE_GENERATION] + 1;
	queues[index] = queue;
	uint64_t id = queue_id(queue);
	int64_t control = client_create(fs_listener, WORD(WORD_WATCH, id));
	if (control < 0) {
		watch_closed(id);
		return control;
	}
	struct description_request create = {
		.kind = DESCRIPTION_SERVICE, .flags = DESCRIPTION_INTERRUPTIBLE | (flags & O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0),
		.memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = (handle_t)control, .event = queue->event,
		.rights = RIGHT_READ, .cookie = FILE_COOKIE(FILE_KIND_WATCH, O_RDONLY),
	};
	int64_t description = description_create(&create);
	handle_close((handle_t)control); /* without a description the close message comes now */
	if (description < 0)
		return description;
	server_reply_handle(request, (handle_t)description, true);
	return 0;
}

static int64_t add(struct server_request *request, struct queue *queue)
{
	uint32_t mask = (uint32_t)request->word[1];
	struct node *node = fs_received_node(request);
	struct watch *watch;
	if (!(mask & (IN_ALL_EVENTS | MASK_FLAGS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED)) || (mask & IN_MASK_ADD && mask & IN_MASK_CREATE))
		return -EINVAL;
	if (!node)
		return -ENOSPC;
	if (mask & IN_ONLYDIR && !S_ISDIR(node->mode))
		return -ENOTDIR;
	for (watch = node->watches; watch && watch->queue != queue; watch = watch->node_next)
		;
	if (watch && mask & IN_MASK_CREATE)
		return -EEXIST;
	if (watch) {
		uint32_t kept = mask & (IN_ALL_EVENTS | IN_ONESHOT);
		watch->mask = mask & IN_MASK_ADD ? watch->mask | kept : kept;
	} else {
		watch = watch_total < WATCHES_MAX ? calloc(1, sizeof *watch) : NULL;
		if (!watch || !stored_take(&watch->stored, STORE_WATCH)) {
			free(watch);
			return -ENOSPC;
		}
		*watch = (struct watch){ .stored = watch->stored, .node_next = node->watches, .queue_next = queue->watches, .queue = queue, .node = node,
			.number = queue->next_number++, .mask = mask & (IN_ALL_EVENTS | IN_ONESHOT) };
		node->watches = queue->watches = watch;
		watch_total++;
	}
	stored_changed(&watch->stored);
	stored_changed(&queue->stored);
	request->reply_word[1] = (uint64_t)watch->number;
	if (watch->mask & IN_MODIFY) {
		if (!S_ISDIR(node->mode))
			watch_writers(node);
		const struct entry *entry = NULL;
		for (uint64_t after = COOKIE_DOT_DOT; S_ISDIR(node->mode) && (entry = tree_next_entry(node, after)); after = entry->cookie)
			if (entry->node->writers)
				watch_writers(entry->node);
	}
	return 0;
}

static int64_t read_events(struct server_request *request, struct queue *queue)
{
	size_t room = request->word[2] < request->room ? request->word[2] : request->room;
	if (queue->first) {
		if (event_size(queue->first) > room)
			return -EINVAL;
	} else if (request->word[3] & DESCRIPTION_NON_BLOCKING) {
		return -EAGAIN;
	}
	/* set aside even if there is something: events go only to a reader who is still there */
	struct wait *wait = calloc(1, sizeof *wait), **place = &queue->waits;
	if (!wait)
		return -ENOMEM;
	wait->room = room < MESSAGE_RANGE_MAX ? room : MESSAGE_RANGE_MAX;
	wait->reply = server_defer(request);
	while (*place)
		place = &(*place)->next;
	*place = wait;
	serve_waits(queue);
	return SERVER_DEFERRED;
}

int64_t watch_request(struct server_request *request, uint64_t id)
{
	struct queue *queue = queue_find(id);
	if (!queue)
		return -EBADF;
	switch (request->word[0]) {
	case FILE_READ:
		return read_events(request, queue);
	case FILE_WATCH_ADD:
		return add(request, queue);
	case FILE_WATCH_REMOVE:
		for (struct watch *watch = queue->watches; watch; watch = watch->queue_next)
			if (watch->number == (int)request->word[1]) {
				watch_end(watch);
				return 0;
			}
		return -EINVAL;
	case FILE_IOCTL:
		if ((uint32_t)request->word[1] == IOCTL_FIONREAD) {
			int count = (int)queue->bytes;
			memcpy(request->reply_buffer, &count, sizeof count);
			server_reply_bytes(request, request->reply_buffer, sizeof count);
			return 0;
		}
		return -ENOTTY;
	default:
		return -EINVAL;
	}
}

void watch_closed(uint64_t id)
{
	struct queue *queue = queue_find(id);
	if (!queue)
		return;
	while (queue->waits) { /* their callers are gone with the description */
		struct wait *wait = queue->waits;
		queue->waits = wait->next;
		server_answer(wait->reply, -EBADF, NULL, NULL, 0);
		free(wait);
	}
	while (queue->watches)
		watch_end(queue->watches);
	while (queue->first)
		event_drop(queue);
	store_handle_close_later(queue->event);
	queues[queue->index] = NULL;
	stored_gone(&queue->stored);
	free(queue);
}

void watch_interrupted(uint32_t reply)
{
	for (uint32_t i = 0; i < QUEUES_MAX; i++) {
		struct wait **place = queues[i] ? &queues[i]->waits : NULL, *wait;
		while (place && (wait = *place) && wait->reply != reply)
			place = &wait->next;
		if (!place || !wait)
			continue;
		*place = wait->next;
		server_answer(reply, -EINTR, NULL, NULL, 0);
		free(wait);
		return;
	}
}

/* -- after a predecessor's death. Events that nobody had read are lost; the queues say so, as when they overflow. */

static void queue_compose(const struct stored *stored, uint64_t *word)
{
	const struct queue *queue = (const struct queue *)((const char *)stored - offsetof(struct queue, stored));
	word[QUEUE_GENERATION] = queue->generation;
	word[QUEUE_EVENT] = (uint64_t)(int64_t)queue->event;
	word[QUEUE_NEXT_NUMBER] = (uint64_t)queue->next_number;
}

static void watch_compose(const struct stored *stored, uint64_t *word)
{
	const struct watch *watch = (const struct watch *)((const char *)stored - offsetof(struct watch, stored));
	word[WATCH_QUEUE] = queue_id(watch->queue);
	word[WATCH_NODE] = node_id(watch->node);
	word[WATCH_NUMBER_MASK] = (uint32_t)watch->number | (uint64_t)watch->mask << 32;
}

void watch_start(void)
{
	store_set_composer(STORE_QUEUE, queue_compose);
	store_set_composer(STORE_WATCH, watch_compose);
}

static bool queue_adopt(uint32_t index)
{
	const uint64_t *word = store_record(STORE_QUEUE, index);
	struct handle_info info;
	handle_t event = (handle_t)word[QUEUE_EVENT];
	uint64_t id = (word[QUEUE_GENERATION] & UINT32_MAX) << INDEX_BITS | index;
	if (event < 0 || handle_get(event, &info) || info.kind != KIND_EVENT || !recover_port_lives(WORD(WORD_WATCH, id)))
		return false;
	struct queue *queue = calloc(1, sizeof *queue);
	if (!queue)
		abort();
	stored_adopt(&queue->stored, STORE_QUEUE, index);
	queue->index = index;
	queue->generation = generations[index] = (uint32_t)word[QUEUE_GENERATION];
	queue->event = event;
	queue->end = &queue->first;
	queue->next_number = (int)word[QUEUE_NEXT_NUMBER];
	queues[index] = queue;
	queue_put(queue, -1, IN_Q_OVERFLOW, 0, NULL, 0);
	recover_keep(event);
	return true;
}

static bool watch_adopt(uint32_t index)
{
	const uint64_t *word = store_record(STORE_WATCH, index);
	struct queue *queue = queue_find(word[WATCH_QUEUE]);
	struct node *node = node_find(word[WATCH_NODE]);
	if (!queue || !node)
		return false;
	struct watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		abort();
	*watch = (struct watch){ .node_next = node->watches, .queue_next = queue->watches, .queue = queue, .node = node,
		.number = (int)(uint32_t)word[WATCH_NUMBER_MASK], .mask = (uint32_t)(word[WATCH_NUMBER_MASK] >> 32) };
	stored_adopt(&watch->stored, STORE_WATCH, index);
	node->watches = queue->watches = watch;
	watch_total++;
	return true;
}

void watch_recover(void)
{
	for (uint32_t index = 0; index < store_used(STORE_QUEUE); index++) {
		enum store_check check = store_check(STORE_QUEUE, index);
		if (check != STORE_FREE && !(check == STORE_GOOD && queue_adopt(index)))
			store_drop(STORE_QUEUE, index);
	}
	for (uint32_t index = 0; index < store_used(STORE_WATCH); index++) {
		enum store_check check = store_check(STORE_WATCH, index);
		if (check != STORE_FREE && !(check == STORE_GOOD && watch_adopt(index)))
			store_drop(STORE_WATCH, index);
	}
	if (watch_total)
		tree_each(watch_writers);
}
