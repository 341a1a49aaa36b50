// Ends the process with a message when a stand-in is used in a way that the real Steam would not survive or not answer for.

#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

[[noreturn]] __attribute__((format(printf, 1, 2))) inline void misuse(const char* format, ...) {
  std::fputs("[stand-in] misuse: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  std::fflush(stderr);
  std::abort();
}
