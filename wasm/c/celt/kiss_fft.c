/*Copyright (c) 2003-2004, Mark Borgerding
  Lots of modifications by Jean-Marc Valin
  Copyright (c) 2005-2007, Xiph.Org Foundation
  Copyright (c) 2008,      Xiph.Org Foundation, CSIRO

  All rights reserved.

  Redistribution and use in source and binary forms, with or without
   modification, are permitted provided that the following conditions are met:

    * Redistributions of source code must retain the above copyright notice,
       this list of conditions and the following disclaimer.
    * Redistributions in binary form must reproduce the above copyright notice,
       this list of conditions and the following disclaimer in the
       documentation and/or other materials provided with the distribution.

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
  POSSIBILITY OF SUCH DAMAGE.*/

/* The FFT for WebAssembly SIMD: libopus' celt/kiss_fft.c, the part that standard modes use, with two
 * butterflies a step, one complex number of each in a vector. The same results bit for bit: every product and
 * every sum is that of libopus, and a difference is the sum with the negative. */

#include <wasm_simd128.h>

#include "_kiss_fft_guts.h"
#include "arch.h"
#include "os_support.h"

#define add wasm_f32x4_add
#define sub wasm_f32x4_sub
#define mul wasm_f32x4_mul

static OPUS_INLINE v128_t load( const kiss_fft_cpx *x ) { return wasm_v128_load( x ); }
static OPUS_INLINE void store( kiss_fft_cpx *x, v128_t two ) { wasm_v128_store( x, two ); }

/* (i, r) of each */
static OPUS_INLINE v128_t swap( v128_t x ) { return wasm_i32x4_shuffle( x, x, 1, 0, 3, 2 ); }
/* (r, -i) of each */
static OPUS_INLINE v128_t conjugate( v128_t x ) {
    return wasm_v128_xor( x, wasm_u32x4_const( 0, 0x80000000, 0, 0x80000000 ) );
}
/* (i, -r) of each: times -j */
static OPUS_INLINE v128_t turn( v128_t x ) { return conjugate( swap( x ) ); }

/* Two factors that are `stride` apart in the table. */
static OPUS_INLINE v128_t twiddles( const kiss_twiddle_cpx *tw, size_t stride ) {
    return wasm_v128_load64_lane( tw + stride, wasm_v128_load64_zero( tw ), 1 );
}

/* C_MUL: (a.r * b.r - a.i * b.i, a.r * b.i + a.i * b.r) */
static OPUS_INLINE v128_t times( v128_t a, v128_t b ) {
    v128_t by_r = mul( wasm_i32x4_shuffle( a, a, 0, 0, 2, 2 ), b );
    v128_t by_i = mul( wasm_i32x4_shuffle( a, a, 1, 1, 3, 3 ), swap( b ) );
    return add( by_r, wasm_v128_xor( by_i, wasm_u32x4_const( 0x80000000, 0, 0x80000000, 0 ) ) );
}

/* Radix 2 comes just after a radix 4, so m is 4 here. */
static void kf_bfly2( kiss_fft_cpx *Fout, int N ) {
    const v128_t tw = wasm_f32x4_const( 1, 1, 0.7071067812f, 0.7071067812f );
    int i;
    for( i = 0; i < N; i++, Fout += 8 ) {
        v128_t a01 = load( Fout ), a23 = load( Fout + 2 ), b01 = load( Fout + 4 ), b23 = load( Fout + 6 ), t;
        /* b0 and tw * (r + i, i - r) of b1 */
        t = wasm_i64x2_shuffle( b01, add( b01, turn( b01 ) ), 0, 3 );
        t = wasm_i64x2_shuffle( t, mul( t, tw ), 0, 3 );
        store( Fout + 4, sub( a01, t ) );
        store( Fout, add( a01, t ) );
        /* (i, -r) of b2 and tw * (i - r, -(i + r)) of b3 */
        t = swap( b23 );
        t = wasm_i64x2_shuffle(
            t, add( t, wasm_v128_xor( b23, wasm_u32x4_const( 0, 0, 0x80000000, 0 ) ) ), 0, 3 );
        t = wasm_i64x2_shuffle( t, mul( t, tw ), 0, 3 );
        t = conjugate( t );
        store( Fout + 6, sub( a23, t ) );
        store( Fout + 2, add( a23, t ) );
    }
}

static void kf_bfly4( kiss_fft_cpx *Fout_beg, size_t fstride, const kiss_fft_state *st, int m, int N, int mm ) {
    int i, j;
    if( m == 1 ) {
        /* Degenerate case where all the twiddles are 1: the vectors are of one butterfly. */
        for( i = 0; i < N; i++, Fout_beg += 4 ) {
            v128_t a = load( Fout_beg ), b = load( Fout_beg + 2 );
            v128_t sum = add( a, b ), difference = sub( a, b );
            v128_t p = wasm_i64x2_shuffle( sum, difference, 0, 2 );
            v128_t q = wasm_i64x2_shuffle( sum, turn( difference ), 1, 3 );
            store( Fout_beg, add( p, q ) );
            store( Fout_beg + 2, sub( p, q ) );
        }
        return;
    }
    for( i = 0; i < N; i++ ) {
        kiss_fft_cpx *Fout = Fout_beg + i * mm;
        const kiss_twiddle_cpx *tw1 = st->twiddles, *tw2 = tw1, *tw3 = tw1;
        /* m is guaranteed to be a multiple of 4. */
        for( j = 0; j < m; j += 2, Fout += 2 ) {
            v128_t s0 = times( load( Fout + m ), twiddles( tw1, fstride ) );
            v128_t s1 = times( load( Fout + 2 * m ), twiddles( tw2, 2 * fstride ) );
            v128_t s2 = times( load( Fout + 3 * m ), twiddles( tw3, 3 * fstride ) );
            v128_t s3 = add( s0, s2 ), s4 = turn( sub( s0, s2 ) );
            v128_t f = load( Fout ), s5 = sub( f, s1 );
            f = add( f, s1 );
            store( Fout + 2 * m, sub( f, s3 ) );
            store( Fout, add( f, s3 ) );
            store( Fout + m, add( s5, s4 ) );
            store( Fout + 3 * m, sub( s5, s4 ) );
            tw1 += 2 * fstride;
            tw2 += 4 * fstride;
            tw3 += 6 * fstride;
        }
    }
}

static void kf_bfly3( kiss_fft_cpx *Fout_beg, size_t fstride, const kiss_fft_state *st, int m, int N, int mm ) {
    const v128_t epi3 = wasm_f32x4_splat( st->twiddles[ fstride * m ].i );
    int i, j;
    for( i = 0; i < N; i++ ) {
        kiss_fft_cpx *Fout = Fout_beg + i * mm;
        const kiss_twiddle_cpx *tw1 = st->twiddles, *tw2 = tw1;
        /* m is guaranteed to be a multiple of 4. */
        for( j = 0; j < m; j += 2, Fout += 2 ) {
            v128_t s1 = times( load( Fout + m ), twiddles( tw1, fstride ) );
            v128_t s2 = times( load( Fout + 2 * m ), twiddles( tw2, 2 * fstride ) );
            v128_t s3 = add( s1, s2 ), s0 = turn( mul( sub( s1, s2 ), epi3 ) );
            v128_t f = load( Fout ), half = sub( f, mul( s3, wasm_f32x4_const_splat( .5f ) ) );
            store( Fout, add( f, s3 ) );
            store( Fout + 2 * m, add( half, s0 ) );
            store( Fout + m, sub( half, s0 ) );
            tw1 += 2 * fstride;
            tw2 += 4 * fstride;
        }
    }
}

static void kf_bfly5( kiss_fft_cpx *Fout_beg, size_t fstride, const kiss_fft_state *st, int m, int N, int mm ) {
    const kiss_twiddle_cpx *tw = st->twiddles;
    const v128_t ya_r = wasm_f32x4_splat( tw[ fstride * m ].r ), ya_i = wasm_f32x4_splat( tw[ fstride * m ].i );
    const v128_t yb_r = wasm_f32x4_splat( tw[ fstride * 2 * m ].r );
    const v128_t yb_i = wasm_f32x4_splat( tw[ fstride * 2 * m ].i );
    int i, u;
    for( i = 0; i < N; i++ ) {
        kiss_fft_cpx *Fout = Fout_beg + i * mm;
        /* m is guaranteed to be a multiple of 4. */
        for( u = 0; u < m; u += 2, Fout += 2 ) {
            v128_t s0 = load( Fout );
            v128_t s1 = times( load( Fout + m ), twiddles( tw + u * fstride, fstride ) );
            v128_t s2 = times( load( Fout + 2 * m ), twiddles( tw + 2 * u * fstride, 2 * fstride ) );
            v128_t s3 = times( load( Fout + 3 * m ), twiddles( tw + 3 * u * fstride, 3 * fstride ) );
            v128_t s4 = times( load( Fout + 4 * m ), twiddles( tw + 4 * u * fstride, 4 * fstride ) );
            v128_t s7 = add( s1, s4 ), s10 = sub( s1, s4 ), s8 = add( s2, s3 ), s9 = sub( s2, s3 );
            v128_t s5, s6, s11, s12;

            store( Fout, add( s0, add( s7, s8 ) ) );

            s5 = add( s0, add( mul( s7, ya_r ), mul( s8, yb_r ) ) );
            s6 = turn( add( mul( s10, ya_i ), mul( s9, yb_i ) ) );
            store( Fout + m, sub( s5, s6 ) );
            store( Fout + 4 * m, add( s5, s6 ) );

            s11 = add( s0, add( mul( s7, yb_r ), mul( s8, ya_r ) ) );
            /* Both differences, for -(a - b) is another zero than b - a. */
            s12 = wasm_i32x4_shuffle( sub( mul( s9, ya_i ), mul( s10, yb_i ) ),
                                      sub( mul( s10, yb_i ), mul( s9, ya_i ) ), 1, 4, 3, 6 );
            store( Fout + 2 * m, add( s11, s12 ) );
            store( Fout + 3 * m, sub( s11, s12 ) );
        }
    }
}

void opus_fft_impl( const kiss_fft_state *st, kiss_fft_cpx *fout ) {
    int fstride[ MAXFACTORS ];
    int i, p, m, m2, L = 0;
    /* st->shift can be -1 */
    const int shift = st->shift > 0 ? st->shift : 0;

    fstride[ 0 ] = 1;
    do {
        p = st->factors[ 2 * L ];
        m = st->factors[ 2 * L + 1 ];
        fstride[ L + 1 ] = fstride[ L ] * p;
        L++;
    } while( m != 1 );
    m = st->factors[ 2 * L - 1 ];
    for( i = L - 1; i >= 0; i-- ) {
        m2 = i != 0 ? st->factors[ 2 * i - 1 ] : 1;
        switch( st->factors[ 2 * i ] ) {
        case 2:
            celt_assert( m == 4 );
            kf_bfly2( fout, fstride[ i ] );
            break;
        case 4:
            kf_bfly4( fout, fstride[ i ] << shift, st, m, fstride[ i ], m2 );
            break;
        case 3:
            kf_bfly3( fout, fstride[ i ] << shift, st, m, fstride[ i ], m2 );
            break;
        case 5:
            kf_bfly5( fout, fstride[ i ] << shift, st, m, fstride[ i ], m2 );
            break;
        }
        m = m2;
    }
}

void opus_fft_c( const kiss_fft_state *st, const kiss_fft_cpx *fin, kiss_fft_cpx *fout ) {
    const celt_coef scale = st->scale;
    int i;
    celt_assert2( fin != fout, "In-place FFT not supported" );
    /* Bit-reverse the input */
    for( i = 0; i < st->nfft; i++ ) {
        fout[ st->bitrev[ i ] ].r = S_MUL2( fin[ i ].r, scale );
        fout[ st->bitrev[ i ] ].i = S_MUL2( fin[ i ].i, scale );
    }
    opus_fft_impl( st, fout );
}

void opus_ifft_c( const kiss_fft_state *st, const kiss_fft_cpx *fin, kiss_fft_cpx *fout ) {
    int i;
    celt_assert2( fin != fout, "In-place FFT not supported" );
    /* Bit-reverse the input */
    for( i = 0; i < st->nfft; i++ ) fout[ st->bitrev[ i ] ] = fin[ i ];
    for( i = 0; i < st->nfft; i++ ) fout[ i ].i = -fout[ i ].i;
    opus_fft_impl( st, fout );
    for( i = 0; i < st->nfft; i++ ) fout[ i ].i = -fout[ i ].i;
}
