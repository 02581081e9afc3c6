/*
 * frame - protobuf messages on a byte stream: 4 bytes of length, big-endian, then the body.
 *
 *   offset 0  length of the body, 1..FRAME_MAX, big-endian
 *          4  body
 *
 * A message with a field its schema does not know, at any depth, is refused by
 * frame_unpack(strict): a command half understood must not be carried out.
 *
 * Errors: -EMSGSIZE length 0 or over FRAME_MAX; -EBADMSG not this message.
 */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <protobuf-c/protobuf-c.h>

enum { FRAME_MAX = 65536, FRAME_HEAD = 4 };

/* Whole size of the first frame in buf (head and body), 0 when more bytes are needed. */
ssize_t frame_size(const uint8_t *buf, size_t n);
/* Head and body in one malloc'd buffer; *size is set. NULL if the body is empty or over
 * FRAME_MAX. */
uint8_t *frame_pack(const ProtobufCMessage *message, size_t *size);
/* The message, to be freed with protobuf_c_message_free_unpacked; NULL if malformed. */
ProtobufCMessage *frame_unpack(
    const ProtobufCMessageDescriptor *type, const uint8_t *body, size_t n, bool strict);

#endif
