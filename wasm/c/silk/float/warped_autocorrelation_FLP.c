/***********************************************************************
Copyright (c) 2006-2011, Skype Limited. All rights reserved.
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions
are met:
- Redistributions of source code must retain the above copyright notice,
this list of conditions and the following disclaimer.
- Redistributions in binary form must reproduce the above copyright
notice, this list of conditions and the following disclaimer in the
documentation and/or other materials provided with the distribution.
- Neither the name of Internet Society, IETF or IETF Trust, nor the
names of specific contributors, may be used to endorse or promote
products derived from this software without specific prior written
permission.
THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE
ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE
LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR
CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF
SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS
INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE)
ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE
POSSIBILITY OF SUCH DAMAGE.
***********************************************************************/


/* silk_warped_autocorrelation_FLP for WebAssembly SIMD: a rewriting of libopus'
 * silk/float/warped_autocorrelation_FLP.c with the same results bit for bit. Every product and every sum is
 * the same, in the same order; only the order between independent ones is another. Of a pair of neighbouring
 * allpass sections, one lane each, the second is one sample behind the first. A pass takes the signal through
 * a few pairs, whose states stay in registers. */

#include <wasm_simd128.h>

#include "main_FLP.h"

#define MAX_PAIRS 3

/* Zeros on both sides, for the sections that are behind. */
typedef struct {
    double section[ SHAPE_LPC_WIN_MAX + MAX_PAIRS ];      /* what the sections so far made of the signal */
    double reversed[ SHAPE_LPC_WIN_MAX + 2 * MAX_PAIRS ]; /* the signal itself, last sample first */
} Signal;

/* The signal through 2 * pairs sections, and their correlations with the signal itself to corr[]. */
static OPUS_INLINE void pass( Signal *signal, const double warping, const opus_int length, silk_float *corr,
                              const opus_int pairs ) {
    const v128_t w = wasm_f64x2_splat( warping );
    v128_t       out[ MAX_PAIRS ], in[ MAX_PAIRS ], C[ MAX_PAIRS ];
    opus_int     n, p;

    for( p = 0; p < pairs; p++ ) out[ p ] = in[ p ] = C[ p ] = wasm_f64x2_const( 0, 0 );
    for( n = 0; n < length + pairs; n++ ) {
        /* Lane 0 of pair p is at sample n - p, lane 1 one sample behind it. */
        const double *x = &signal->reversed[ MAX_PAIRS + length - 1 - n ];
        v128_t input = wasm_v128_load64_zero( &signal->section[ n ] );
#pragma clang loop unroll( full )
        for( p = 0; p < pairs; p++ ) {
            v128_t next = p == 0 ? wasm_i64x2_shuffle( input, out[ 0 ], 0, 2 )
                                 : wasm_i64x2_shuffle( out[ p - 1 ], out[ p ], 1, 2 );
            v128_t sum = wasm_f64x2_add( in[ p ], wasm_f64x2_mul( w, out[ p ] ) );
            out[ p ] = wasm_f64x2_sub( sum, wasm_f64x2_mul( w, next ) );
            in[ p ] = next;
            C[ p ] = wasm_f64x2_add( C[ p ], wasm_f64x2_mul( wasm_v128_load( x + p ), out[ p ] ) );
        }
        if( n >= pairs ) wasm_v128_store64_lane( &signal->section[ n - pairs ], out[ pairs - 1 ], 1 );
    }
    for( p = 0; p < pairs; p++ ) {
        corr[ 2 * p ]     = (silk_float)wasm_f64x2_extract_lane( C[ p ], 0 );
        corr[ 2 * p + 1 ] = (silk_float)wasm_f64x2_extract_lane( C[ p ], 1 );
    }
}

/* Autocorrelations for a warped frequency axis */
void silk_warped_autocorrelation_FLP(
    silk_float                      *corr,                              /* O    Result [order + 1]                          */
    const silk_float                *input,                             /* I    Input data to correlate                     */
    const silk_float                warping,                            /* I    Warping coefficient                         */
    const opus_int                  length,                             /* I    Length of input                             */
    const opus_int                  order                               /* I    Correlation order (even)                    */
)
{
    opus_int n, i;
    double   energy = 0;
    Signal   signal;

    /* Order must be even */
    celt_assert( ( order & 1 ) == 0 );
    celt_assert( length <= SHAPE_LPC_WIN_MAX );

    for( n = 0; n < MAX_PAIRS; n++ ) {
        signal.reversed[ n ] = signal.reversed[ MAX_PAIRS + length + n ] = 0;
        signal.section[ length + n ] = 0;
    }
    for( n = 0; n < length; n++ ) {
        double x = input[ n ];
        signal.section[ n ] = x;
        signal.reversed[ MAX_PAIRS + length - 1 - n ] = x;
        energy += x * x;
    }
    corr[ 0 ] = (silk_float)energy;
    for( i = 0; i + 2 * MAX_PAIRS <= order; i += 2 * MAX_PAIRS ) {
        pass( &signal, warping, length, corr + 1 + i, MAX_PAIRS );
    }
    for( ; i < order; i += 2 ) pass( &signal, warping, length, corr + 1 + i, 1 );
}
