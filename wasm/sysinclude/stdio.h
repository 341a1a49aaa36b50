/* libopus prints only when it is about to abort: the trap is message enough, and the text costs bytes. */
#ifndef HOTMIC_STDIO_H
#define HOTMIC_STDIO_H
#define stderr 0
#define fprintf(...) ((void)0)
#define printf(...) ((void)0)
#define fflush(stream) ((void)0)
#endif
