/* What libopus wants of <stdlib.h> on a target without a C library. Rust owns every codec's memory
 * (opus_*_init in a buffer of opus_*_get_size bytes), so malloc and free are declared and never called. */
#ifndef HOTMIC_STDLIB_H
#define HOTMIC_STDLIB_H
#include <stddef.h>
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
#define abort() __builtin_trap()
#define exit(status) __builtin_trap()
#define abs(x) __builtin_abs(x)
#define labs(x) __builtin_labs(x)
#endif
