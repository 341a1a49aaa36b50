// What a stand-in library exports; everything else in it is hidden, so that several of them can live in one process.

#pragma once

#if defined(_WIN32)
#define STAND_IN_EXPORT extern "C" __declspec(dllexport)
#else
#define STAND_IN_EXPORT extern "C" __attribute__((visibility("default")))
#endif
