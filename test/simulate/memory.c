#include "test/simulate/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "test/simulate/fail.h"
#include "test/simulate/sched.h"

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void __libc_free(void *p);

/* The simulation's blocks have the same head, in no list, so that free() can tell. */
static void *take(size_t n, struct proc *p)
{
	struct block *b = __libc_malloc(sizeof(*b) + n);

	if (!b)
		return NULL;
	*b = (struct block){ .size = n };
	if (p) {
		b->next = p->heap.next;
		b->prev = &p->heap;
		b->next->prev = b->prev->next = b;
		p->heap_bytes += n;
		if (p->heap_bytes > p->heap_most)
			p->heap_most = p->heap_bytes;
		b->pad = (size_t)(p - procs) + 1;
	}
	return b + 1;
}

static void give(void *memory)
{
	struct block *b = (struct block *)memory - 1;

	if (b->pad) {
		b->next->prev = b->prev;
		b->prev->next = b->next;
		procs[b->pad - 1].heap_bytes -= b->size;
	}
	__libc_free(b);
}

void *malloc(size_t n)
{
	if (proc_self && fail_now(FAIL_ALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return take(n, proc_self);
}

void *calloc(size_t n, size_t size)
{
	void *p;

	if (size && n > SIZE_MAX / 2 / size)
		return NULL;
	p = malloc(n * size);
	if (p)
		memset(p, 0, n * size);
	return p;
}

void free(void *memory)
{
	if (memory)
		give(memory);
}

void *realloc(void *memory, size_t n)
{
	void *p = malloc(n);
	size_t old;

	if (!p || !memory)
		return p;
	old = ((struct block *)memory - 1)->size;
	memcpy(p, memory, old < n ? old : n);
	free(memory);
	return p;
}

void memory_release(struct proc *p)
{
	while (p->heap.next != &p->heap)
		give(p->heap.next + 1);
}
