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


/* silk_resampler_private_IIR_FIR for WebAssembly SIMD: libopus' silk/resampler_private_IIR_FIR.c with the
 * interpolation, eight products a sample, done by vectors. The decoder brings 16 kHz to 24 kHz with it. The
 * same results bit for bit: integers, whose sums may wrap but do not depend on the order. */

#include <wasm_simd128.h>

#include "SigProc_FIX.h"
#include "resampler_private.h"
#include "stack_alloc.h"

/* Four sums of eight products. */
static OPUS_INLINE v128_t sum_products( v128_t a, v128_t b, v128_t c, v128_t d ) {
    v128_t ab = wasm_i32x4_add( wasm_i32x4_shuffle( a, b, 0, 4, 1, 5 ), wasm_i32x4_shuffle( a, b, 2, 6, 3, 7 ) );
    v128_t cd = wasm_i32x4_add( wasm_i32x4_shuffle( c, d, 0, 4, 1, 5 ), wasm_i32x4_shuffle( c, d, 2, 6, 3, 7 ) );
    return wasm_i32x4_add( wasm_i64x2_shuffle( ab, cd, 0, 2 ), wasm_i64x2_shuffle( ab, cd, 1, 3 ) );
}

/* silk_RSHIFT_ROUND( a, 15 ), saturated to 16 bits in the lower half. */
static OPUS_INLINE v128_t to_int16( v128_t a ) {
    a = wasm_i32x4_shr( wasm_i32x4_add( wasm_i32x4_shr( a, 14 ), wasm_i32x4_splat( 1 ) ), 1 );
    return wasm_i16x8_narrow_i32x4( a, a );
}

static OPUS_INLINE v128_t products( const opus_int16 *buf, opus_int32 index_Q16, const v128_t *filter ) {
    return wasm_i32x4_dot_i16x8( wasm_v128_load( &buf[ index_Q16 >> 16 ] ),
                                 filter[ silk_SMULWB( index_Q16 & 0xFFFF, 12 ) ] );
}

static OPUS_INLINE opus_int16 *silk_resampler_private_IIR_FIR_INTERPOL(
    opus_int16  *out,
    opus_int16  *buf,
    opus_int32  max_index_Q16,
    opus_int32  index_increment_Q16
)
{
    opus_int32 i, index_Q16 = 0;
    v128_t     filter[ 12 ];

    /* The table holds the first half of each filter; the second is the first of its mirror, reversed. */
    for( i = 0; i < 12; i++ ) {
        filter[ i ] = wasm_i16x8_shuffle( wasm_v128_load64_zero( silk_resampler_frac_FIR_12[ i ] ),
                                          wasm_v128_load64_zero( silk_resampler_frac_FIR_12[ 11 - i ] ),
                                          0, 1, 2, 3, 11, 10, 9, 8 );
    }
    /* Interpolate upsampled signal and store in output array */
    for( ; index_Q16 + 3 * index_increment_Q16 < max_index_Q16; index_Q16 += 4 * index_increment_Q16 ) {
        v128_t sums = sum_products( products( buf, index_Q16, filter ),
                                    products( buf, index_Q16 + index_increment_Q16, filter ),
                                    products( buf, index_Q16 + 2 * index_increment_Q16, filter ),
                                    products( buf, index_Q16 + 3 * index_increment_Q16, filter ) );
        wasm_v128_store64_lane( out, to_int16( sums ), 0 );
        out += 4;
    }
    for( ; index_Q16 < max_index_Q16; index_Q16 += index_increment_Q16 ) {
        v128_t one = products( buf, index_Q16, filter );
        *out++ = wasm_i16x8_extract_lane( to_int16( sum_products( one, one, one, one ) ), 0 );
    }
    return out;
}

/* Upsample using a combination of allpass-based 2x upsampling and FIR interpolation */
void silk_resampler_private_IIR_FIR(
    void                            *SS,            /* I/O  Resampler state             */
    opus_int16                      out[],          /* O    Output signal               */
    const opus_int16                in[],           /* I    Input signal                */
    opus_int32                      inLen           /* I    Number of input samples     */
)
{
    silk_resampler_state_struct *S = (silk_resampler_state_struct *)SS;
    opus_int32 nSamplesIn;
    opus_int32 max_index_Q16, index_increment_Q16;
    VARDECL( opus_int16, buf );
    SAVE_STACK;

    ALLOC( buf, 2 * S->batchSize + RESAMPLER_ORDER_FIR_12, opus_int16 );

    /* Copy buffered samples to start of buffer */
    silk_memcpy( buf, S->sFIR.i16, RESAMPLER_ORDER_FIR_12 * sizeof( opus_int16 ) );

    /* Iterate over blocks of frameSizeIn input samples */
    index_increment_Q16 = S->invRatio_Q16;
    while( 1 ) {
        nSamplesIn = silk_min( inLen, S->batchSize );

        /* Upsample 2x */
        silk_resampler_private_up2_HQ( S->sIIR, &buf[ RESAMPLER_ORDER_FIR_12 ], in, nSamplesIn );

        max_index_Q16 = silk_LSHIFT32( nSamplesIn, 16 + 1 );         /* + 1 because 2x upsampling */
        out = silk_resampler_private_IIR_FIR_INTERPOL( out, buf, max_index_Q16, index_increment_Q16 );
        in += nSamplesIn;
        inLen -= nSamplesIn;

        if( inLen > 0 ) {
            /* More iterations to do; copy last part of filtered signal to beginning of buffer */
            silk_memcpy( buf, &buf[ nSamplesIn << 1 ], RESAMPLER_ORDER_FIR_12 * sizeof( opus_int16 ) );
        } else {
            break;
        }
    }

    /* Copy last part of filtered signal to the state for the next call */
    silk_memcpy( S->sFIR.i16, &buf[ nSamplesIn << 1 ], RESAMPLER_ORDER_FIR_12 * sizeof( opus_int16 ) );
    RESTORE_STACK;
}
