/* A circular doubly linked list with its links inside the elements. An unlinked element's link points to itself. */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H
#include "kernel/core/types.h"
struct list { struct list *next, *previous; };
static inline void list_init(struct list *l) { l->next = l->previous = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }
/* The same without the lock that covers the list: a guess, which the thread sanitizer lets pass. */
static inline __attribute__((no_sanitize("thread"))) bool list_seems_empty(const struct list *list) { return list->next == list; }
static inline void list_insert_before(struct list *position, struct list *l)
{
	l->previous = position->previous;
	l->next = position;
	position->previous->next = l;
	position->previous = l;
}
static inline void list_add_last(struct list *head, struct list *l) { list_insert_before(head, l); }
static inline void list_add_first(struct list *head, struct list *l) { list_insert_before(head->next, l); }
static inline void list_remove(struct list *l)
{
	l->previous->next = l->next;
	l->next->previous = l->previous;
	list_init(l);
}
#define list_entry(link, type, member) container_of(link, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
/* removing the current element is allowed */
#define list_for_each(element, head, member) \
	for (__typeof__(element) element##_next, *element##_once = &element##_next; element##_once; element##_once = 0) \
		for (element = list_first(head, __typeof__(*element), member), \
		     element##_next = list_entry(element->member.next, __typeof__(*element), member); \
		     &element->member != (head); \
		     element = element##_next, element##_next = list_entry(element->member.next, __typeof__(*element), member))
#endif
