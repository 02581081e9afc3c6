/* units - what an integer field means when the device does not say. */
#ifndef COMMON_UNITS_H
#define COMMON_UNITS_H

#include <stdint.h>

#define UNKNOWN INT32_MIN /* in any int32_t sample field */

#endif
