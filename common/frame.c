#include "common/frame.h"

#include <errno.h>

#include "common/mem.h"

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

ssize_t frame_size(const uint8_t *buf, size_t n)
{
	uint32_t body;

	if (n < FRAME_HEAD)
		return 0;
	body = get_be32(buf);
	if (body == 0 || body > FRAME_MAX)
		return -EMSGSIZE;
	return n - FRAME_HEAD < body ? 0 : (ssize_t)(FRAME_HEAD + body);
}

uint8_t *frame_pack(const ProtobufCMessage *message, size_t *size)
{
	size_t body = protobuf_c_message_get_packed_size(message);
	uint8_t *buf;

	if (body == 0 || body > FRAME_MAX)
		return NULL;
	buf = xcalloc(1, FRAME_HEAD + body);
	buf[0] = body >> 24;
	buf[1] = body >> 16;
	buf[2] = body >> 8;
	buf[3] = body;
	protobuf_c_message_pack(message, buf + FRAME_HEAD);
	*size = FRAME_HEAD + body;
	return buf;
}

static bool known(const ProtobufCMessage *m, bool strict);

static bool field_known(
    const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, bool strict)
{
	const char *base = (const char *)m;
	const void *member = base + f->offset;
	const ProtobufCMessage *one, *const *many;
	size_t n;

	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		n = *(const size_t *)(const void *)(base + f->quantifier_offset);
		many = *(const ProtobufCMessage *const *const *)member;
		for (size_t i = 0; i < n; i++) {
			if (!known(many[i], strict))
				return false;
		}
		return true;
	}
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	    *(const uint32_t *)(const void *)(base + f->quantifier_offset) != f->id)
		return true; /* the union holds another member */
	one = *(const ProtobufCMessage *const *)member;
	return !one || known(one, strict);
}

/* protobuf-c keeps field number 0, which no message may have, among the unknown ones. */
static bool known(const ProtobufCMessage *m, bool strict)
{
	if (strict && m->n_unknown_fields > 0)
		return false;
	for (size_t i = 0; i < m->n_unknown_fields; i++) {
		if (m->unknown_fields[i].tag == 0)
			return false;
	}
	for (size_t i = 0; i < m->descriptor->n_fields; i++) {
		if (!field_known(m, &m->descriptor->fields[i], strict))
			return false;
	}
	return true;
}

ProtobufCMessage *frame_unpack(
    const ProtobufCMessageDescriptor *type, const uint8_t *body, size_t n, bool strict)
{
	ProtobufCMessage *m = protobuf_c_message_unpack(type, NULL, n, body);

	if (m && !known(m, strict)) {
		protobuf_c_message_free_unpacked(m, NULL);
		return NULL;
	}
	return m;
}
