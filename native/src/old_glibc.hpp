// For a prebuilt addon on Linux: binds it to the oldest versions of the C library's functions that this processor has, so that it
// loads wherever Node does, and not only with a C library as new as the one it was linked with.
//
// glibc 2.34 moved these functions into libc.so.6 and gave them a new version; the old one is the same function. Only where
// HOTMIC_OLD_GLIBC is defined: ThreadSanitizer must see the locks by their plain names.

#pragma once

#if defined(HOTMIC_OLD_GLIBC) && defined(__GLIBC__)

#if defined(__x86_64__)
#define HOTMIC_FIRST_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define HOTMIC_FIRST_GLIBC "GLIBC_2.17"
#endif

#ifdef HOTMIC_FIRST_GLIBC
#define HOTMIC_OLD(function) __asm__(".symver " #function "," #function "@" HOTMIC_FIRST_GLIBC)

HOTMIC_OLD(dladdr);
HOTMIC_OLD(dlerror);
HOTMIC_OLD(dlopen);
HOTMIC_OLD(dlsym);
HOTMIC_OLD(pthread_rwlock_rdlock);
HOTMIC_OLD(pthread_rwlock_unlock);
HOTMIC_OLD(pthread_rwlock_wrlock);

// glibc 2.32 added this variable, and libstdc++ reads it to skip atomic operations. Ours says: several threads. Hidden, so that
// nothing else uses it.
extern "C" {
__attribute__((visibility("hidden"), weak)) char __libc_single_threaded = 0;
}

#undef HOTMIC_OLD
#endif

#endif
