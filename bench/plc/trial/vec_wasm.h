/* Copyright (c) 2018 Mozilla
                 2008-2011 Octasic Inc.
                 2012-2017 Jean-Marc Valin */
/*
   Redistribution and use in source and binary forms, with or without
   modification, are permitted provided that the following conditions
   are met:

   - Redistributions of source code must retain the above copyright
   notice, this list of conditions and the following disclaimer.

   - Redistributions in binary form must reproduce the above copyright
   notice, this list of conditions and the following disclaimer in the
   documentation and/or other materials provided with the distribution.

   THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS
   ``AS IS'' AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
   LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR
   A PARTICULAR PURPOSE ARE DISCLAIMED.  IN NO EVENT SHALL THE FOUNDATION OR
   CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL,
   EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO,
   PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR
   PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF
   LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING
   NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS
   SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
*/

/* The kernels of libopus' dnn/vec.h with WebAssembly SIMD, for the trial of deep PLC. Compiled before every
 * file of dnn/, whose own vec.h is then left out. The structure is that of vec_neon.h: 8-bit weights against
 * inputs rounded to 8 bits, summed in integers. */

#ifndef VEC_H
#define VEC_H

#include <math.h>
#include <wasm_simd128.h>

#include "opus_types.h"
#include "arch.h"
#include "os_support.h"

#define MAX_INPUTS (2048)
#define SCALE (128.f*127.f)
#define SCALE_1 (1.f/128.f/127.f)

/* a * b + c, in two roundings: there is no other without relaxed SIMD. */
static inline v128_t vec_fma(v128_t a, v128_t b, v128_t c) { return wasm_f32x4_add(wasm_f32x4_mul(a, b), c); }
static inline v128_t vec_clamp(v128_t low, v128_t x, v128_t high)
{
   return wasm_f32x4_pmin(wasm_f32x4_pmax(x, low), high);
}

static inline v128_t exp4_approx(v128_t x)
{
   v128_t whole, y;
   x = vec_clamp(wasm_f32x4_const_splat(-88.f), x, wasm_f32x4_const_splat(88.f));
   /* exp(x) as exp2(x/log(2)), with the exponent's bias added. */
   x = vec_fma(x, wasm_f32x4_const_splat(1.44269504f), wasm_f32x4_const_splat(127.f));
   whole = wasm_i32x4_trunc_sat_f32x4(x);
   x = wasm_f32x4_sub(x, wasm_f32x4_convert_i32x4(whole));
   y = vec_fma(x, wasm_f32x4_const_splat(0.078024523f), wasm_f32x4_const_splat(0.22606716f));
   y = vec_fma(x, y, wasm_f32x4_const_splat(0.69583354f));
   y = vec_fma(x, y, wasm_f32x4_const_splat(0.99992522f));
   return wasm_f32x4_mul(y, wasm_i32x4_shl(whole, 23));
}

static inline v128_t tanh4_approx(v128_t x)
{
   v128_t x2, num, den;
   x2 = wasm_f32x4_mul(x, x);
   num = vec_fma(x2, wasm_f32x4_const_splat(0.60863042f), wasm_f32x4_const_splat(96.39235687f));
   num = vec_fma(x2, num, wasm_f32x4_const_splat(952.52801514f));
   den = vec_fma(x2, wasm_f32x4_const_splat(11.88600922f), wasm_f32x4_const_splat(413.36801147f));
   den = vec_fma(x2, den, wasm_f32x4_const_splat(952.72399902f));
   num = wasm_f32x4_div(wasm_f32x4_mul(num, x), den);
   return vec_clamp(wasm_f32x4_const_splat(-1.f), num, wasm_f32x4_const_splat(1.f));
}

static inline v128_t sigmoid4_approx(v128_t x)
{
   const v128_t half = wasm_f32x4_const_splat(.5f);
   return vec_fma(half, tanh4_approx(wasm_f32x4_mul(half, x)), half);
}

static inline float lpcnet_exp(float x) { return wasm_f32x4_extract_lane(exp4_approx(wasm_f32x4_splat(x)), 0); }
static inline float tanh_approx(float x) { return wasm_f32x4_extract_lane(tanh4_approx(wasm_f32x4_splat(x)), 0); }
static inline float sigmoid_approx(float x)
{
   return wasm_f32x4_extract_lane(sigmoid4_approx(wasm_f32x4_splat(x)), 0);
}

#define VEC_MAP(name, four, one) \
static inline void name(float *y, const float *x, int N) \
{ \
   int i; \
   for (i=0;i<N-3;i+=4) wasm_v128_store(&y[i], four(wasm_v128_load(&x[i]))); \
   for (;i<N;i++) y[i] = one(x[i]); \
}
VEC_MAP(softmax, exp4_approx, lpcnet_exp)
VEC_MAP(vec_tanh, tanh4_approx, tanh_approx)
VEC_MAP(vec_sigmoid, sigmoid4_approx, sigmoid_approx)

static inline void sgemv8(float *y, const float *w, int cols, int col_stride, const float *x)
{
   int j;
   v128_t y0 = wasm_f32x4_const_splat(0), y4 = y0;
   for (j=0;j<cols;j++)
   {
      v128_t xj = wasm_v128_load32_splat(&x[j]);
      y0 = vec_fma(wasm_v128_load(&w[j*col_stride]), xj, y0);
      y4 = vec_fma(wasm_v128_load(&w[j*col_stride + 4]), xj, y4);
   }
   wasm_v128_store(&y[0], y0);
   wasm_v128_store(&y[4], y4);
}

static inline void sgemv(float *out, const float *weights, int rows, int cols, int col_stride, const float *x)
{
   int i, j;
   for (i=0;i+8<=rows;i+=8) sgemv8(&out[i], &weights[i], cols, col_stride, x);
   for (;i<rows;i++)
   {
      out[i] = 0;
      for (j=0;j<cols;j++) out[i] += weights[j*col_stride + i]*x[j];
   }
}

static inline void sparse_sgemv8x4(float *out, const float *w, const int *idx, int rows, const float *x)
{
   int i, j, k;
   for (i=0;i<rows;i+=8)
   {
      v128_t y0 = wasm_f32x4_const_splat(0), y4 = y0;
      int cols = *idx++;
      for (j=0;j<cols;j++)
      {
         const float *xs = &x[*idx++];
         for (k=0;k<4;k++)
         {
            v128_t xj = wasm_v128_load32_splat(&xs[k]);
            y0 = vec_fma(wasm_v128_load(&w[8*k]), xj, y0);
            y4 = vec_fma(wasm_v128_load(&w[8*k + 4]), xj, y4);
         }
         w += 32;
      }
      wasm_v128_store(&out[i], y0);
      wasm_v128_store(&out[i+4], y4);
   }
}

/* Rounds to 8 bits of precision, kept in 16 for i32x4.dot_i16x8. */
static inline void vec_quantize(opus_int16 *x, const float *in, int cols)
{
   int i;
   const v128_t scale = wasm_f32x4_const_splat(127.f), half = wasm_f32x4_const_splat(.5f);
   for (i=0;i<cols-3;i+=4)
   {
      v128_t y = wasm_f32x4_floor(vec_fma(wasm_v128_load(&in[i]), scale, half));
      v128_t z = wasm_i32x4_trunc_sat_f32x4(y);
      wasm_v128_store64_lane(&x[i], wasm_i16x8_narrow_i32x4(z, z), 0);
   }
   for (;i<cols;i++) x[i] = (int)floor(.5f + 127.f*in[i]);
}

/* Four columns of eight rows: `sums` holds two halves of each row's sum. */
static inline void vec_block(v128_t sums[4], const opus_int8 *w, const opus_int16 *x)
{
   int k;
   v128_t four = wasm_v128_load64_splat(x);
   for (k=0;k<4;k++) sums[k] = wasm_i32x4_add(sums[k], wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(&w[8*k]), four));
}

static inline void vec_rows(float *out, const v128_t sums[4], const float *scale)
{
   int k;
   for (k=0;k<2;k++)
   {
      v128_t a = sums[2*k], b = sums[2*k + 1];
      v128_t sum = wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
      v128_t y = wasm_f32x4_mul(wasm_v128_load(&scale[4*k]), wasm_f32x4_convert_i32x4(sum));
      wasm_v128_store(&out[4*k], y);
   }
}

static inline void sparse_cgemv8x4(float *out, const opus_int8 *w, const int *idx, const float *scale, int rows, int cols, const float *_x)
{
   int i, j;
   opus_int16 x[MAX_INPUTS];
   vec_quantize(x, _x, cols);
   for (i=0;i<rows;i+=8)
   {
      v128_t sums[4] = {0};
      int blocks = *idx++;
      for (j=0;j<blocks;j++)
      {
         vec_block(sums, w, &x[*idx++]);
         w += 32;
      }
      vec_rows(&out[i], sums, &scale[i]);
   }
}

static inline void cgemv8x4(float *out, const opus_int8 *w, const float *scale, int rows, int cols, const float *_x)
{
   int i, j;
   opus_int16 x[MAX_INPUTS];
   vec_quantize(x, _x, cols);
   for (i=0;i<rows;i+=8)
   {
      v128_t sums[4] = {0};
      for (j=0;j<cols;j+=4)
      {
         vec_block(sums, w, &x[j]);
         w += 32;
      }
      vec_rows(&out[i], sums, &scale[i]);
   }
}

#endif /*VEC_H*/
