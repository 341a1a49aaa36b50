/***********************************************************************
Copyright (c) 2006-2011, Skype Limited. Copyright (c) 2021 Google Inc. All rights reserved.
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


/* silk_NSQ_del_dec_c for WebAssembly SIMD: a translation of libopus' silk/NSQ_del_dec.c, after the manner of
 * its silk/x86/NSQ_del_dec_avx2.c, with the same results bit for bit. The states of the decision tree (up to
 * four) are the lanes of a vector.
 *
 * One thing is done in another way. When a state is replaced by a better one, libopus copies its history, 40
 * samples of five values. Here the samples stay where they were written, and each state has a path instead:
 * for each of the 40 slots, in which lane its sample lies. Only the path (160 bytes), the filters' memories
 * and the values in flight are permuted. */

#include <wasm_simd128.h>

#include "main.h"
#include "NSQ.h"

typedef struct {
    v128_t RandState;
    v128_t Q_Q10;
    v128_t Xq_Q14;
    v128_t Pred_Q15;
    v128_t Shape_Q14;
} Sample;

typedef struct {
    v128_t sLPC_Q14[ MAX_SUB_FRAME_LENGTH + NSQ_LPC_BUF_LENGTH ];
    v128_t sAR2_Q14[ MAX_SHAPE_LPC_ORDER ];
    Sample Samples[ DECISION_DELAY ];
    /* Four bytes a slot of Samples, one a state: 4 times the lane that holds the state's sample. */
    v128_t Path[ DECISION_DELAY / 4 ];
    v128_t Shape_Q14; /* of the newest sample */
    v128_t LF_AR_Q14;
    v128_t Diff_Q14;
    v128_t Seed;
    v128_t SeedInit;
    v128_t RD_Q10;
    v128_t Unused; /* all ones in the lanes that are no state */
} States;

#define LANES( a, b, c, d )                                                                           \
    { 4 * a, 4 * a + 1, 4 * a + 2, 4 * a + 3, 4 * b, 4 * b + 1, 4 * b + 2, 4 * b + 3,                 \
      4 * c, 4 * c + 1, 4 * c + 2, 4 * c + 3, 4 * d, 4 * d + 1, 4 * d + 2, 4 * d + 3 }
#define BYTES( a, b, c, d )                                                                           \
    { a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12 }
#define REPLACE( FORM )                                                                               \
    { { FORM( 0, 1, 2, 3 ), FORM( 1, 1, 2, 3 ), FORM( 2, 1, 2, 3 ), FORM( 3, 1, 2, 3 ) },             \
      { FORM( 0, 0, 2, 3 ), FORM( 0, 1, 2, 3 ), FORM( 0, 2, 2, 3 ), FORM( 0, 3, 2, 3 ) },             \
      { FORM( 0, 1, 0, 3 ), FORM( 0, 1, 1, 3 ), FORM( 0, 1, 2, 3 ), FORM( 0, 1, 3, 3 ) },             \
      { FORM( 0, 1, 2, 0 ), FORM( 0, 1, 2, 1 ), FORM( 0, 1, 2, 2 ), FORM( 0, 1, 2, 3 ) } }

typedef opus_uint8 Selector[ 16 ];
/* [ to ][ from ]: lane `from` also in the place of lane `to`; and the same for the bytes of a path. */
static const Selector replace_lane[ 4 ][ 4 ] __attribute__((aligned( 16 ))) = REPLACE( LANES );
static const Selector replace_byte[ 4 ][ 4 ] __attribute__((aligned( 16 ))) = REPLACE( BYTES );
static const Selector splat_lane[ 4 ] __attribute__((aligned( 16 ))) = {
    LANES( 0, 0, 0, 0 ), LANES( 1, 1, 1, 1 ), LANES( 2, 2, 2, 2 ), LANES( 3, 3, 3, 3 ) };
static const opus_int32 one_lane[ 4 ][ 4 ] __attribute__((aligned( 16 ))) = {
    { -1, 0, 0, 0 }, { 0, -1, 0, 0 }, { 0, 0, -1, 0 }, { 0, 0, 0, -1 } };

#define splat wasm_i32x4_splat
#define add wasm_i32x4_add
#define sub wasm_i32x4_sub

static OPUS_INLINE int lane( const v128_t *vector, opus_int index ) {
    return ( (const opus_int32 *)vector )[ index ];
}

/* silk_SMULWB( a, b ), with the 16 bits of b, sign-extended, in each lane: 32-bit products are enough. */
static OPUS_INLINE v128_t smulwb( v128_t a, v128_t b ) {
    v128_t low = wasm_i32x4_mul( wasm_v128_and( a, splat( 0xFFFF ) ), b );
    return add( wasm_i32x4_mul( wasm_i32x4_shr( a, 16 ), b ), wasm_i32x4_shr( low, 16 ) );
}

/* A factor of silk_SMLAWB where the delay counts: a dot product is over sooner than a 32-bit product on some
 * processors. With its sign bit flipped the lower half of a factor is signed, and too small by 0x8000. */
typedef struct {
    v128_t for_high, for_low, bias;
} Factor;

static OPUS_INLINE Factor factor( opus_int16 b ) {
    Factor result = { splat( silk_LSHIFT( (opus_int32)b, 16 ) ), splat( b & 0xFFFF ),
                      splat( silk_LSHIFT( (opus_int32)b, 15 ) ) };
    return result;
}

/* silk_SMLAWB( sum, a, b ) */
static OPUS_INLINE v128_t smlawb( v128_t sum, v128_t a, Factor b ) {
    v128_t halves = wasm_v128_xor( a, splat( 0x8000 ) );
    v128_t low = add( wasm_i32x4_dot_i16x8( halves, b.for_low ), b.bias );
    return add( add( sum, wasm_i32x4_dot_i16x8( halves, b.for_high ) ), wasm_i32x4_shr( low, 16 ) );
}

/* silk_SMULWW( a, b ) */
static OPUS_INLINE v128_t smulww( v128_t a, v128_t b ) {
    return wasm_i32x4_shuffle( wasm_u64x2_shr( wasm_i64x2_extmul_low_i32x4( a, b ), 16 ),
                               wasm_u64x2_shr( wasm_i64x2_extmul_high_i32x4( a, b ), 16 ), 0, 2, 4, 6 );
}

static OPUS_INLINE v128_t add_sat( v128_t a, v128_t b ) {
    v128_t sum = add( a, b );
    v128_t over = wasm_i32x4_shr( wasm_v128_and( wasm_v128_xor( a, sum ), wasm_v128_xor( b, sum ) ), 31 );
    v128_t limit = wasm_v128_xor( wasm_i32x4_shr( a, 31 ), splat( silk_int32_MAX ) );
    return wasm_v128_bitselect( limit, sum, over );
}

static OPUS_INLINE v128_t sub_sat( v128_t a, v128_t b ) {
    v128_t difference = sub( a, b );
    v128_t over =
        wasm_i32x4_shr( wasm_v128_and( wasm_v128_xor( a, difference ), wasm_v128_xor( a, b ) ), 31 );
    v128_t limit = wasm_v128_xor( wasm_i32x4_shr( a, 31 ), splat( silk_int32_MAX ) );
    return wasm_v128_bitselect( limit, difference, over );
}

/* -a in the lanes where sign is -1, a where it is 0. */
static OPUS_INLINE v128_t flip( v128_t a, v128_t sign ) {
    return sub( wasm_v128_xor( a, sign ), sign );
}

static OPUS_INLINE v128_t all_min( v128_t a ) {
    a = wasm_i32x4_min( a, wasm_i32x4_shuffle( a, a, 2, 3, 0, 1 ) );
    return wasm_i32x4_min( a, wasm_i32x4_shuffle( a, a, 1, 0, 3, 2 ) );
}

static OPUS_INLINE v128_t all_max( v128_t a ) {
    a = wasm_i32x4_max( a, wasm_i32x4_shuffle( a, a, 2, 3, 0, 1 ) );
    return wasm_i32x4_max( a, wasm_i32x4_shuffle( a, a, 1, 0, 3, 2 ) );
}

/* Which lane is the first to be equal? One is. The unused lanes must differ or come last, which they do. */
static OPUS_INLINE opus_int first_equal( v128_t a, v128_t b ) {
    return __builtin_ctz( wasm_i32x4_bitmask( wasm_i32x4_eq( a, b ) ) );
}

/* The state with the least rate-distortion value. */
static OPUS_INLINE opus_int winner( const States *st ) {
    v128_t RD_Q10 = wasm_v128_bitselect( splat( silk_int32_MAX ), st->RD_Q10, st->Unused );
    return first_equal( all_min( RD_Q10 ), RD_Q10 );
}

/* The lane of Samples[ slot ] that belongs to a state. */
static OPUS_INLINE opus_int path_lane( const States *st, opus_int slot, opus_int state ) {
    return ( (const opus_uint8 *)st->Path )[ 4 * slot + state ] >> 2;
}

/* Writes the samples still in the delay, of the winning state, to the output and the long-term states. */
static void flush_delay(
    const States   *st,
    silk_nsq_state *NSQ,
    opus_int8      pulses[],
    opus_int16     pxq[],
    opus_int       state,
    opus_int       smpl_buf_idx,
    opus_int       decisionDelay,
    opus_int32     gain,
    opus_int       gain_shift
)
{
    opus_int i, slot = smpl_buf_idx + decisionDelay;
    for( i = 0; i < decisionDelay; i++ ) {
        const Sample *sample;
        opus_int at;
        slot = ( slot - 1 ) % DECISION_DELAY;
        if( slot < 0 ) slot += DECISION_DELAY;
        sample = &st->Samples[ slot ];
        at = path_lane( st, slot, state );
        pulses[ i - decisionDelay ] = (opus_int8)silk_RSHIFT_ROUND( lane( &sample->Q_Q10, at ), 10 );
        pxq[ i - decisionDelay ] = (opus_int16)silk_SAT16(
            silk_RSHIFT_ROUND( silk_SMULWW( lane( &sample->Xq_Q14, at ), gain ), gain_shift ) );
        NSQ->sLTP_shp_Q14[ NSQ->sLTP_shp_buf_idx - decisionDelay + i ] = lane( &sample->Shape_Q14, at );
    }
}

static void scale_states(
    const silk_encoder_state *psEncC,
    silk_nsq_state      *NSQ,
    States              *st,
    const opus_int16    x16[],
    opus_int32          x_sc_Q10[],
    const opus_int16    sLTP[],
    opus_int32          sLTP_Q15[],
    opus_int            subfr,
    const opus_int      LTP_scale_Q14,
    const opus_int32    Gains_Q16[ MAX_NB_SUBFR ],
    const opus_int      pitchL[ MAX_NB_SUBFR ],
    const opus_int      signal_type,
    const opus_int      decisionDelay
)
{
    opus_int   i, lag = pitchL[ subfr ];
    opus_int32 gain_adj_Q16, inv_gain_Q31, inv_gain_Q26;
    v128_t     adjust;

    inv_gain_Q31 = silk_INVERSE32_varQ( silk_max( Gains_Q16[ subfr ], 1 ), 47 );
    silk_assert( inv_gain_Q31 != 0 );

    /* Scale input */
    inv_gain_Q26 = silk_RSHIFT_ROUND( inv_gain_Q31, 5 );
    for( i = 0; i < psEncC->subfr_length; i++ ) {
        x_sc_Q10[ i ] = silk_SMULWW( x16[ i ], inv_gain_Q26 );
    }

    /* After rewhitening the LTP state is un-scaled, so scale with inv_gain_Q16 */
    if( NSQ->rewhite_flag ) {
        if( subfr == 0 ) {
            /* Do LTP downscaling */
            inv_gain_Q31 = silk_LSHIFT( silk_SMULWB( inv_gain_Q31, LTP_scale_Q14 ), 2 );
        }
        for( i = NSQ->sLTP_buf_idx - lag - LTP_ORDER / 2; i < NSQ->sLTP_buf_idx; i++ ) {
            silk_assert( i < MAX_FRAME_LENGTH );
            sLTP_Q15[ i ] = silk_SMULWB( inv_gain_Q31, sLTP[ i ] );
        }
    }

    /* Adjust for changing gain */
    if( Gains_Q16[ subfr ] == NSQ->prev_gain_Q16 ) return;
    gain_adj_Q16 = silk_DIV32_varQ( NSQ->prev_gain_Q16, Gains_Q16[ subfr ], 16 );
    adjust = splat( gain_adj_Q16 );

    /* Scale long-term shaping state: ltp_mem_length is a multiple of 4 */
    for( i = NSQ->sLTP_shp_buf_idx - psEncC->ltp_mem_length; i < NSQ->sLTP_shp_buf_idx; i += 4 ) {
        opus_int32 *four = &NSQ->sLTP_shp_Q14[ i ];
        wasm_v128_store( four, smulww( wasm_v128_load( four ), adjust ) );
    }

    /* Scale long-term prediction state */
    if( signal_type == TYPE_VOICED && NSQ->rewhite_flag == 0 ) {
        for( i = NSQ->sLTP_buf_idx - lag - LTP_ORDER / 2; i < NSQ->sLTP_buf_idx - decisionDelay; i++ ) {
            sLTP_Q15[ i ] = silk_SMULWW( gain_adj_Q16, sLTP_Q15[ i ] );
        }
    }

    st->LF_AR_Q14 = smulww( st->LF_AR_Q14, adjust );
    st->Diff_Q14  = smulww( st->Diff_Q14, adjust );
    st->Shape_Q14 = smulww( st->Shape_Q14, adjust );

    /* Scale short-term prediction and shaping states */
    for( i = 0; i < NSQ_LPC_BUF_LENGTH; i++ ) {
        st->sLPC_Q14[ i ] = smulww( st->sLPC_Q14[ i ], adjust );
    }
    for( i = 0; i < MAX_SHAPE_LPC_ORDER; i++ ) {
        st->sAR2_Q14[ i ] = smulww( st->sAR2_Q14[ i ], adjust );
    }
    for( i = 0; i < DECISION_DELAY; i++ ) {
        st->Samples[ i ].Pred_Q15  = smulww( st->Samples[ i ].Pred_Q15, adjust );
        st->Samples[ i ].Shape_Q14 = smulww( st->Samples[ i ].Shape_Q14, adjust );
    }

    /* Save inverse gain */
    NSQ->prev_gain_Q16 = Gains_Q16[ subfr ];
}

/******************************************/
/* Noise shape quantizer for one subframe */
/******************************************/
static void quantize_subframe(
    silk_nsq_state      *NSQ,                   /* I/O  NSQ state                           */
    States              *st,                    /* I/O  Delayed decision states             */
    opus_int            signalType,             /* I    Signal type                         */
    const opus_int32    x_Q10[],                /* I                                        */
    opus_int8           pulses[],               /* O                                        */
    opus_int16          xq[],                   /* O                                        */
    opus_int32          sLTP_Q15[],             /* I/O  LTP filter state                    */
    opus_int32          delayedGain_Q10[],      /* I/O  Gain delay buffer                   */
    const opus_int16    a_Q12[],                /* I    Short term prediction coefs         */
    const opus_int16    b_Q14[],                /* I    Long term prediction coefs          */
    const opus_int16    AR_shp_Q13[],           /* I    Noise shaping coefs                 */
    opus_int            lag,                    /* I    Pitch lag                           */
    opus_int32          HarmShapeFIRPacked_Q14, /* I                                        */
    opus_int            Tilt_Q14,               /* I    Spectral tilt                       */
    opus_int32          LF_shp_Q14,             /* I                                        */
    opus_int32          Gain_Q16,               /* I                                        */
    opus_int            Lambda_Q10,             /* I                                        */
    opus_int            offset_Q10,             /* I                                        */
    opus_int            length,                 /* I    Input length                        */
    opus_int            subfr,                  /* I    Subframe number                     */
    opus_int            shapingLPCOrder,        /* I    Shaping LPC filter order            */
    opus_int            predictLPCOrder,        /* I    Prediction filter order             */
    opus_int            warping_Q16,            /* I                                        */
    opus_int            *smpl_buf_idx,          /* I/O  Index to newest samples in buffers  */
    opus_int            decisionDelay           /* I                                        */
)
{
    opus_int   i, j, Winner_ind, slot = *smpl_buf_idx;
    opus_int32 *pred_lag_ptr, *shp_lag_ptr, Gain_Q10;
    v128_t     a[ MAX_LPC_ORDER ], ar[ MAX_SHAPE_LPC_ORDER ];
    const Factor warping = factor( warping_Q16 );
    const v128_t tilt = splat( (opus_int16)Tilt_Q14 );
    const v128_t LF_b = splat( (opus_int16)LF_shp_Q14 );
    const v128_t LF_t = splat( LF_shp_Q14 >> 16 );
    const v128_t offset = splat( offset_Q10 );
    /* Times the low half of a lane: the product of silk_SMULBB. */
    const v128_t lambda = splat( Lambda_Q10 & 0xFFFF );
    const v128_t Unused = st->Unused;
    v128_t     Seed = st->Seed, RD_Q10 = st->RD_Q10, LF_AR_Q14 = st->LF_AR_Q14, Diff_Q14 = st->Diff_Q14;
    v128_t     Shape_Q14 = st->Shape_Q14;

    for( i = 0; i < predictLPCOrder; i++ ) a[ i ] = splat( a_Q12[ i ] );
    for( i = 0; i < shapingLPCOrder; i++ ) ar[ i ] = splat( AR_shp_Q13[ i ] );

    shp_lag_ptr  = &NSQ->sLTP_shp_Q14[ NSQ->sLTP_shp_buf_idx - lag + HARM_SHAPE_FIR_TAPS / 2 ];
    pred_lag_ptr = &sLTP_Q15[ NSQ->sLTP_buf_idx - lag + LTP_ORDER / 2 ];
    Gain_Q10     = silk_RSHIFT( Gain_Q16, 6 );

    for( i = 0; i < length; i++ ) {
        opus_int32   LTP_pred_Q14, n_LTP_Q14, last, x4;
        const v128_t *psLPC_Q14 = &st->sLPC_Q14[ NSQ_LPC_BUF_LENGTH - 1 + i ];
        const Sample *oldest;
        Sample       *newest;
        v128_t       LPC_pred_Q14, n_AR_Q14, n_LF_Q14, tmp0, tmp1, sign;
        v128_t       r_Q10, q0, q1, q2, rr1, rr2, rd1, rd2, best_Q, best_RD, next_Q, next_RD;
        v128_t       path, rand, LPC_exc_Q14, xq_Q14;

        /* Long-term prediction */
        if( signalType == TYPE_VOICED ) {
            /* Avoids introducing a bias because silk_SMLAWB() always rounds to -inf */
            LTP_pred_Q14 = 2;
            LTP_pred_Q14 = silk_SMLAWB( LTP_pred_Q14, pred_lag_ptr[  0 ], b_Q14[ 0 ] );
            LTP_pred_Q14 = silk_SMLAWB( LTP_pred_Q14, pred_lag_ptr[ -1 ], b_Q14[ 1 ] );
            LTP_pred_Q14 = silk_SMLAWB( LTP_pred_Q14, pred_lag_ptr[ -2 ], b_Q14[ 2 ] );
            LTP_pred_Q14 = silk_SMLAWB( LTP_pred_Q14, pred_lag_ptr[ -3 ], b_Q14[ 3 ] );
            LTP_pred_Q14 = silk_SMLAWB( LTP_pred_Q14, pred_lag_ptr[ -4 ], b_Q14[ 4 ] );
            LTP_pred_Q14 = silk_LSHIFT( LTP_pred_Q14, 1 );                          /* Q13 -> Q14 */
            pred_lag_ptr++;
        } else {
            LTP_pred_Q14 = 0;
        }

        /* Long-term shaping */
        if( lag > 0 ) {
            /* Symmetric, packed FIR coefficients */
            n_LTP_Q14 = silk_SMULWB( silk_ADD_SAT32( shp_lag_ptr[ 0 ], shp_lag_ptr[ -2 ] ), HarmShapeFIRPacked_Q14 );
            n_LTP_Q14 = silk_SMLAWT( n_LTP_Q14, shp_lag_ptr[ -1 ], HarmShapeFIRPacked_Q14 );
            n_LTP_Q14 = silk_SUB_LSHIFT32( LTP_pred_Q14, n_LTP_Q14, 2 );            /* Q12 -> Q14 */
            shp_lag_ptr++;
        } else {
            n_LTP_Q14 = 0;
        }

        /* Generate dither */
        Seed = add( wasm_i32x4_mul( Seed, splat( RAND_MULTIPLIER ) ), splat( RAND_INCREMENT ) );

        /* Short-term prediction */
        LPC_pred_Q14 = splat( predictLPCOrder >> 1 );
#define TAP( t ) LPC_pred_Q14 = add( LPC_pred_Q14, smulwb( psLPC_Q14[ -( t ) ], a[ t ] ) );
        TAP( 0 ) TAP( 1 ) TAP( 2 ) TAP( 3 ) TAP( 4 ) TAP( 5 ) TAP( 6 ) TAP( 7 ) TAP( 8 ) TAP( 9 )
        if( predictLPCOrder == 16 ) {
            TAP( 10 ) TAP( 11 ) TAP( 12 ) TAP( 13 ) TAP( 14 ) TAP( 15 )
        }
        LPC_pred_Q14 = wasm_i32x4_shl( LPC_pred_Q14, 4 );                           /* Q10 -> Q14 */

        /* Noise shape feedback: a lowpass section, then allpass sections */
        tmp1 = st->sAR2_Q14[ 0 ];
        tmp0 = smlawb( Diff_Q14, tmp1, warping );
        n_AR_Q14 = splat( shapingLPCOrder >> 1 );
        for( j = 0; j < shapingLPCOrder - 1; j++ ) {
            v128_t next = st->sAR2_Q14[ j + 1 ];
            st->sAR2_Q14[ j ] = tmp0;
            n_AR_Q14 = add( n_AR_Q14, smulwb( tmp0, ar[ j ] ) );
            tmp0 = smlawb( tmp1, sub( next, tmp0 ), warping );
            tmp1 = next;
        }
        st->sAR2_Q14[ j ] = tmp0;
        n_AR_Q14 = add( n_AR_Q14, smulwb( tmp0, ar[ j ] ) );
        n_AR_Q14 = wasm_i32x4_shl( n_AR_Q14, 1 );                                   /* Q11 -> Q12 */
        n_AR_Q14 = add( n_AR_Q14, smulwb( LF_AR_Q14, tilt ) );                    /* Q12 */
        n_AR_Q14 = wasm_i32x4_shl( n_AR_Q14, 2 );                                   /* Q12 -> Q14 */

        n_LF_Q14 = add( smulwb( Shape_Q14, LF_b ), smulwb( LF_AR_Q14, LF_t ) ); /* Q12 */
        n_LF_Q14 = wasm_i32x4_shl( n_LF_Q14, 2 );                                   /* Q12 -> Q14 */

        /* Input minus prediction plus noise feedback                       */
        /* r = x[ i ] - LTP_pred - LPC_pred + n_AR + n_Tilt + n_LF + n_LTP  */
        tmp0 = sub_sat( add( splat( n_LTP_Q14 ), LPC_pred_Q14 ), add_sat( n_AR_Q14, n_LF_Q14 ) ); /* Q13 */
        tmp0 = wasm_i32x4_shr( add( wasm_i32x4_shr( tmp0, 3 ), splat( 1 ) ), 1 );   /* Q10 */
        r_Q10 = sub( splat( x_Q10[ i ] ), tmp0 );                                   /* residual error Q10 */

        /* Flip sign depending on dither */
        sign = wasm_i32x4_shr( Seed, 31 );
        r_Q10 = flip( r_Q10, sign );
        r_Q10 = wasm_i32x4_max( wasm_i32x4_min( r_Q10, splat( 30 << 10 ) ), splat( -( 31 << 10 ) ) );

        /* Find two quantization level candidates and measure their rate-distortion */
        q1 = sub( r_Q10, offset );
        q0 = wasm_i32x4_shr( q1, 10 );
        if( Lambda_Q10 > 2048 ) {
            /* For aggressive RDO, the bias becomes more than one pulse. */
            v128_t below = wasm_i32x4_shr( q1, 31 );
            v128_t excess = sub( wasm_i32x4_abs( q1 ), splat( Lambda_Q10 / 2 - 512 ) );
            q0 = wasm_v128_bitselect( wasm_i32x4_shr( flip( excess, below ), 10 ), below,
                                      wasm_i32x4_gt( excess, splat( 0 ) ) );
        }
        /* q1 = ( q0 << 10 ) + offset, 80 nearer to 0 than that. The distance to q2 is 1024, but less by 80
           across 0. */
        tmp0 = wasm_i32x4_shr( q0, 31 );
        tmp1 = wasm_i32x4_gt( q0, splat( 0 ) );
        q1 = add( wasm_i32x4_shl( q0, 10 ), offset );
        q1 = sub( q1, wasm_v128_and( tmp1, splat( QUANT_LEVEL_ADJUST_Q10 ) ) );
        q1 = add( q1, wasm_v128_and( tmp0, splat( QUANT_LEVEL_ADJUST_Q10 ) ) );
        tmp0 = wasm_i32x4_eq( sub( q0, tmp0 ), splat( 0 ) ); /* is q0 0 or -1? */
        q2 = sub( add( q1, splat( 1024 ) ), wasm_v128_and( tmp0, splat( QUANT_LEVEL_ADJUST_Q10 ) ) );

        rr1 = sub( r_Q10, q1 );
        rr2 = sub( r_Q10, q2 );
        rr1 = wasm_i32x4_dot_i16x8( rr1, wasm_v128_and( rr1, splat( 0xFFFF ) ) );
        rr2 = wasm_i32x4_dot_i16x8( rr2, wasm_v128_and( rr2, splat( 0xFFFF ) ) );
        rd1 = add( wasm_i32x4_dot_i16x8( wasm_i32x4_abs( q1 ), lambda ), rr1 );
        rd2 = add( wasm_i32x4_dot_i16x8( wasm_i32x4_abs( q2 ), lambda ), rr2 );
        rd1 = wasm_i32x4_shr( rd1, 10 );
        rd2 = wasm_i32x4_shr( rd2, 10 );

        tmp0 = wasm_i32x4_lt( rd1, rd2 );
        best_RD = add( RD_Q10, wasm_i32x4_min( rd1, rd2 ) );
        next_RD = add( RD_Q10, wasm_i32x4_max( rd1, rd2 ) );
        best_Q  = wasm_v128_bitselect( q1, q2, tmp0 );
        next_Q  = wasm_v128_bitselect( q2, q1, tmp0 );

        slot = slot == 0 ? DECISION_DELAY - 1 : slot - 1;
        last = slot + decisionDelay;
        if( last >= DECISION_DELAY ) last -= DECISION_DELAY;
        oldest = &st->Samples[ last ];

        /* Find winner */
        tmp0 = wasm_v128_bitselect( splat( silk_int32_MAX ), best_RD, Unused );
        Winner_ind = first_equal( all_min( tmp0 ), tmp0 );

        /* Increase RD values of expired states: of those that differ from the winner so far back */
        path = wasm_v128_load32_splat( (const opus_uint8 *)st->Path + 4 * last );
        path = wasm_i8x16_shuffle( path, path, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3 );
        path = wasm_i8x16_add( path, wasm_i32x4_splat( 0x03020100 ) );
        rand = wasm_i8x16_swizzle( oldest->RandState, path );
        tmp0 = wasm_i32x4_ne( rand, wasm_i32x4_shuffle( rand, rand, 0, 0, 0, 0 ) );
        if( wasm_v128_any_true( wasm_v128_andnot( tmp0, Unused ) ) ) {
            tmp0 = wasm_i32x4_ne( rand, wasm_i8x16_swizzle( rand, wasm_v128_load( splat_lane[ Winner_ind ] ) ) );
            tmp0 = wasm_v128_and( tmp0, splat( silk_int32_MAX >> 4 ) );
            best_RD = add( best_RD, tmp0 );
            next_RD = add( next_RD, tmp0 );
        }

        /* Write samples from winner to output and long-term filter states */
        if( subfr > 0 || i >= decisionDelay ) {
            opus_int at = path_lane( st, last, Winner_ind );
            pulses[ i - decisionDelay ] = (opus_int8)silk_RSHIFT_ROUND( lane( &oldest->Q_Q10, at ), 10 );
            xq[ i - decisionDelay ] = (opus_int16)silk_SAT16( silk_RSHIFT_ROUND(
                silk_SMULWW( lane( &oldest->Xq_Q14, at ), delayedGain_Q10[ last ] ), 8 ) );
            NSQ->sLTP_shp_Q14[ NSQ->sLTP_shp_buf_idx - decisionDelay ] = lane( &oldest->Shape_Q14, at );
            sLTP_Q15[          NSQ->sLTP_buf_idx     - decisionDelay ] = lane( &oldest->Pred_Q15, at );
        }
        NSQ->sLTP_shp_buf_idx++;
        NSQ->sLTP_buf_idx++;

        /* Replace a state if best from second set outperforms worst in first set. The winner stays: its best
           is no worst, or all are equal and no second is better. */
        tmp0 = wasm_v128_bitselect( splat( silk_int32_MIN ), best_RD, Unused );
        tmp1 = wasm_v128_bitselect( splat( silk_int32_MAX ), next_RD, Unused );
        rr1 = all_max( tmp0 );
        rr2 = all_min( tmp1 );
        if( wasm_i32x4_extract_lane( rr2, 0 ) < wasm_i32x4_extract_lane( rr1, 0 ) ) {
            opus_int to = first_equal( rr1, tmp0 ), from = first_equal( rr2, tmp1 ), t;
            const v128_t lanes = wasm_v128_load( replace_lane[ to ][ from ] );
            const v128_t bytes = wasm_v128_load( replace_byte[ to ][ from ] );
            const v128_t only = wasm_v128_load( one_lane[ to ] );
            v128_t *lpc = &st->sLPC_Q14[ i + 1 ];
            best_RD = wasm_v128_bitselect( rr2, best_RD, only );
            best_Q = wasm_v128_bitselect(
                wasm_i8x16_swizzle( next_Q, wasm_v128_load( splat_lane[ from ] ) ), best_Q, only );
            LPC_pred_Q14 = wasm_i8x16_swizzle( LPC_pred_Q14, lanes );
            n_AR_Q14 = wasm_i8x16_swizzle( n_AR_Q14, lanes );
            n_LF_Q14 = wasm_i8x16_swizzle( n_LF_Q14, lanes );
            Seed = wasm_i8x16_swizzle( Seed, lanes );
            sign = wasm_i8x16_swizzle( sign, lanes );
            st->SeedInit = wasm_i8x16_swizzle( st->SeedInit, lanes );
            for( t = 0; t < NSQ_LPC_BUF_LENGTH - 1; t++ ) lpc[ t ] = wasm_i8x16_swizzle( lpc[ t ], lanes );
            for( t = 0; t < shapingLPCOrder; t++ ) {
                st->sAR2_Q14[ t ] = wasm_i8x16_swizzle( st->sAR2_Q14[ t ], lanes );
            }
            for( t = 0; t < DECISION_DELAY / 4; t++ ) {
                st->Path[ t ] = wasm_i8x16_swizzle( st->Path[ t ], bytes );
            }
        }

        /* Update states */
        x4 = silk_LSHIFT32( x_Q10[ i ], 4 );
        LPC_exc_Q14 = add( flip( wasm_i32x4_shl( best_Q, 4 ), sign ), splat( LTP_pred_Q14 ) );
        xq_Q14 = add( LPC_exc_Q14, LPC_pred_Q14 );
        Diff_Q14 = sub( xq_Q14, splat( x4 ) );
        LF_AR_Q14 = sub( Diff_Q14, n_AR_Q14 );
        Shape_Q14 = sub_sat( LF_AR_Q14, n_LF_Q14 );
        Seed = add( Seed, wasm_i32x4_shr( add( best_Q, splat( 512 ) ), 10 ) );
        RD_Q10 = best_RD;
        st->sLPC_Q14[ NSQ_LPC_BUF_LENGTH + i ] = xq_Q14;
        newest = &st->Samples[ slot ];
        newest->RandState = Seed;
        newest->Q_Q10     = best_Q;
        newest->Xq_Q14    = xq_Q14;
        newest->Pred_Q15  = wasm_i32x4_shl( LPC_exc_Q14, 1 );
        newest->Shape_Q14 = Shape_Q14;
        st->Path[ slot >> 2 ] = wasm_v128_bitselect( splat( 0x0C080400 ), st->Path[ slot >> 2 ],
                                                     wasm_v128_load( one_lane[ slot & 3 ] ) );
        delayedGain_Q10[ slot ] = Gain_Q10;
    }
    *smpl_buf_idx = slot;
    st->Seed = Seed;
    st->RD_Q10 = RD_Q10;
    st->LF_AR_Q14 = LF_AR_Q14;
    st->Diff_Q14 = Diff_Q14;
    st->Shape_Q14 = Shape_Q14;
    for( i = 0; i < NSQ_LPC_BUF_LENGTH; i++ ) st->sLPC_Q14[ i ] = st->sLPC_Q14[ length + i ];
}

void silk_NSQ_del_dec_c(
    const silk_encoder_state    *psEncC,                                      /* I    Encoder State                   */
    silk_nsq_state              *NSQ,                                         /* I/O  NSQ state                       */
    SideInfoIndices             *psIndices,                                   /* I/O  Quantization Indices            */
    const opus_int16            x16[],                                        /* I    Input                           */
    opus_int8                   pulses[],                                     /* O    Quantized pulse signal          */
    const opus_int16            *PredCoef_Q12,                                /* I    Short term prediction coefs     */
    const opus_int16            LTPCoef_Q14[ LTP_ORDER * MAX_NB_SUBFR ],      /* I    Long term prediction coefs      */
    const opus_int16            AR_Q13[ MAX_NB_SUBFR * MAX_SHAPE_LPC_ORDER ], /* I    Noise shaping coefs             */
    const opus_int              HarmShapeGain_Q14[ MAX_NB_SUBFR ],            /* I    Long term shaping coefs         */
    const opus_int              Tilt_Q14[ MAX_NB_SUBFR ],                     /* I    Spectral tilt                   */
    const opus_int32            LF_shp_Q14[ MAX_NB_SUBFR ],                   /* I    Low frequency shaping coefs     */
    const opus_int32            Gains_Q16[ MAX_NB_SUBFR ],                    /* I    Quantization step sizes         */
    const opus_int              pitchL[ MAX_NB_SUBFR ],                       /* I    Pitch lags                      */
    const opus_int              Lambda_Q10,                                   /* I    Rate/distortion tradeoff        */
    const opus_int              LTP_scale_Q14                                 /* I    LTP state scaling               */
)
{
    opus_int         i, k, lag, start_idx, LSF_interpolation_flag, Winner_ind, subfr, smpl_buf_idx, decisionDelay;
    const opus_int16 *A_Q12, *B_Q14, *AR_shp_Q13;
    opus_int16       *pxq;
    opus_int32       HarmShapeFIRPacked_Q14;
    opus_int         offset_Q10;
    opus_int32       sLTP_Q15[ 2 * MAX_FRAME_LENGTH ];
    opus_int16       sLTP[ 2 * MAX_FRAME_LENGTH ];
    opus_int32       x_sc_Q10[ MAX_SUB_FRAME_LENGTH ];
    opus_int32       delayedGain_Q10[ DECISION_DELAY ];
    States           st;

    /* Set unvoiced lag to the previous one, overwrite later for voiced */
    lag = NSQ->lagPrev;

    silk_assert( NSQ->prev_gain_Q16 != 0 );
    celt_assert( psEncC->nStatesDelayedDecision > 0 && psEncC->nStatesDelayedDecision <= 4 );
    celt_assert( ( psEncC->shapingLPCOrder & 1 ) == 0 );   /* check that order is even */

    /* Initialize delayed decision states */
    st.Seed      = wasm_v128_and( add( wasm_i32x4_const( 0, 1, 2, 3 ), splat( psIndices->Seed ) ), splat( 3 ) );
    st.SeedInit  = st.Seed;
    st.RD_Q10    = splat( 0 );
    st.Unused    = wasm_i32x4_gt( wasm_i32x4_const( 1, 2, 3, 4 ), splat( psEncC->nStatesDelayedDecision ) );
    st.LF_AR_Q14 = splat( NSQ->sLF_AR_shp_Q14 );
    st.Diff_Q14  = splat( NSQ->sDiff_shp_Q14 );
    st.Shape_Q14 = splat( NSQ->sLTP_shp_Q14[ psEncC->ltp_mem_length - 1 ] );
    for( i = 0; i < NSQ_LPC_BUF_LENGTH; i++ ) st.sLPC_Q14[ i ] = splat( NSQ->sLPC_Q14[ i ] );
    for( i = 0; i < MAX_SHAPE_LPC_ORDER; i++ ) st.sAR2_Q14[ i ] = splat( NSQ->sAR2_Q14[ i ] );
    silk_memset( st.Samples, 0, sizeof( st.Samples ) );
    for( i = 0; i < DECISION_DELAY / 4; i++ ) st.Path[ i ] = splat( 0x0C080400 );

    offset_Q10   = silk_Quantization_Offsets_Q10[ psIndices->signalType >> 1 ][ psIndices->quantOffsetType ];
    smpl_buf_idx = 0; /* index of oldest samples */

    decisionDelay = silk_min_int( DECISION_DELAY, psEncC->subfr_length );

    /* For voiced frames limit the decision delay to lower than the pitch lag */
    if( psIndices->signalType == TYPE_VOICED ) {
        for( k = 0; k < psEncC->nb_subfr; k++ ) {
            decisionDelay = silk_min_int( decisionDelay, pitchL[ k ] - LTP_ORDER / 2 - 1 );
        }
    } else {
        if( lag > 0 ) {
            decisionDelay = silk_min_int( decisionDelay, lag - LTP_ORDER / 2 - 1 );
        }
    }

    if( psIndices->NLSFInterpCoef_Q2 == 4 ) {
        LSF_interpolation_flag = 0;
    } else {
        LSF_interpolation_flag = 1;
    }

    /* Set up pointers to start of sub frame */
    pxq                   = &NSQ->xq[ psEncC->ltp_mem_length ];
    NSQ->sLTP_shp_buf_idx = psEncC->ltp_mem_length;
    NSQ->sLTP_buf_idx     = psEncC->ltp_mem_length;
    subfr = 0;
    for( k = 0; k < psEncC->nb_subfr; k++ ) {
        A_Q12      = &PredCoef_Q12[ ( ( k >> 1 ) | ( 1 - LSF_interpolation_flag ) ) * MAX_LPC_ORDER ];
        B_Q14      = &LTPCoef_Q14[ k * LTP_ORDER           ];
        AR_shp_Q13 = &AR_Q13[     k * MAX_SHAPE_LPC_ORDER ];

        /* Noise shape parameters */
        silk_assert( HarmShapeGain_Q14[ k ] >= 0 );
        HarmShapeFIRPacked_Q14  =                          silk_RSHIFT( HarmShapeGain_Q14[ k ], 2 );
        HarmShapeFIRPacked_Q14 |= silk_LSHIFT( (opus_int32)silk_RSHIFT( HarmShapeGain_Q14[ k ], 1 ), 16 );

        NSQ->rewhite_flag = 0;
        if( psIndices->signalType == TYPE_VOICED ) {
            /* Voiced */
            lag = pitchL[ k ];

            /* Re-whitening */
            if( ( k & ( 3 - silk_LSHIFT( LSF_interpolation_flag, 1 ) ) ) == 0 ) {
                if( k == 2 ) {
                    /* RESET DELAYED DECISIONS */
                    Winner_ind = winner( &st );
                    st.RD_Q10 = add( st.RD_Q10, wasm_v128_andnot( splat( silk_int32_MAX >> 4 ),
                                                                  wasm_v128_load( one_lane[ Winner_ind ] ) ) );
                    flush_delay( &st, NSQ, pulses, pxq, Winner_ind, smpl_buf_idx, decisionDelay, Gains_Q16[ 1 ], 14 );
                    subfr = 0;
                }

                /* Rewhiten with new A coefs */
                start_idx = psEncC->ltp_mem_length - lag - psEncC->predictLPCOrder - LTP_ORDER / 2;
                celt_assert( start_idx > 0 );

                silk_LPC_analysis_filter( &sLTP[ start_idx ], &NSQ->xq[ start_idx + k * psEncC->subfr_length ],
                    A_Q12, psEncC->ltp_mem_length - start_idx, psEncC->predictLPCOrder, psEncC->arch );

                NSQ->sLTP_buf_idx = psEncC->ltp_mem_length;
                NSQ->rewhite_flag = 1;
            }
        }

        scale_states( psEncC, NSQ, &st, x16, x_sc_Q10, sLTP, sLTP_Q15, k, LTP_scale_Q14, Gains_Q16, pitchL,
            psIndices->signalType, decisionDelay );

        quantize_subframe( NSQ, &st, psIndices->signalType, x_sc_Q10, pulses, pxq, sLTP_Q15,
            delayedGain_Q10, A_Q12, B_Q14, AR_shp_Q13, lag, HarmShapeFIRPacked_Q14, Tilt_Q14[ k ], LF_shp_Q14[ k ],
            Gains_Q16[ k ], Lambda_Q10, offset_Q10, psEncC->subfr_length, subfr++, psEncC->shapingLPCOrder,
            psEncC->predictLPCOrder, psEncC->warping_Q16, &smpl_buf_idx, decisionDelay );

        x16    += psEncC->subfr_length;
        pulses += psEncC->subfr_length;
        pxq    += psEncC->subfr_length;
    }

    /* Copy final part of signals from winner state to output and long-term filter states */
    Winner_ind = winner( &st );
    psIndices->Seed = lane( &st.SeedInit, Winner_ind );
    flush_delay( &st, NSQ, pulses, pxq, Winner_ind, smpl_buf_idx, decisionDelay,
        silk_RSHIFT32( Gains_Q16[ psEncC->nb_subfr - 1 ], 6 ), 8 );
    for( i = 0; i < NSQ_LPC_BUF_LENGTH; i++ ) NSQ->sLPC_Q14[ i ] = lane( &st.sLPC_Q14[ i ], Winner_ind );
    for( i = 0; i < MAX_SHAPE_LPC_ORDER; i++ ) NSQ->sAR2_Q14[ i ] = lane( &st.sAR2_Q14[ i ], Winner_ind );

    /* Update states */
    NSQ->sLF_AR_shp_Q14 = lane( &st.LF_AR_Q14, Winner_ind );
    NSQ->sDiff_shp_Q14  = lane( &st.Diff_Q14, Winner_ind );
    NSQ->lagPrev        = pitchL[ psEncC->nb_subfr - 1 ];

    /* Save quantized speech signal */
    silk_memmove( NSQ->xq,           &NSQ->xq[           psEncC->frame_length ], psEncC->ltp_mem_length * sizeof( opus_int16 ) );
    silk_memmove( NSQ->sLTP_shp_Q14, &NSQ->sLTP_shp_Q14[ psEncC->frame_length ], psEncC->ltp_mem_length * sizeof( opus_int32 ) );
}
