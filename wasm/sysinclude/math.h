/* The mathematics that libopus calls; Rust's compiler_builtins defines them (the functions of musl). */
#ifndef HOTMIC_MATH_H
#define HOTMIC_MATH_H
double acos(double x);
double atan(double x);
double atan2(double y, double x);
double ceil(double x);
double cos(double x);
double exp(double x);
double fabs(double x);
double floor(double x);
double log(double x);
double log10(double x);
double pow(double x, double y);
double sin(double x);
double sqrt(double x);
float fabsf(float x);
float sqrtf(float x);
/* One wasm instruction each; as functions they cost a tenth of the decoder's time. */
#define lrintf(x) ((long)__builtin_rintf(x))
#define lrint(x) ((long)__builtin_rint(x))
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif
#endif
