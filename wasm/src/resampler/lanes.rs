//! Four floats at a time: WebAssembly's SIMD where it is compiled in, else plain code that gives the same
//! bits, for both round after every operation and add in the same order. Neither can trap.

pub use body::Lanes;

/// 1 / FULL_SCALE is the step of s16 in floats from -1 to 1.
pub const FULL_SCALE: f32 = 32768.0;

impl Lanes {
    #[inline(always)]
    pub fn plus_product<const N: usize>(self, a: &[f32; N], b: &[f32; N], at: usize) -> Lanes {
        self.plus(Lanes::load(a, at).times(Lanes::load(b, at)))
    }
}

/// Floats from -1 to 1 to the nearest s16, of two equally near the even one; what lies outside to the last of
/// that side, NaN to 0.
pub fn to_s16(from: &[f32], to: &mut [i16]) {
    let ((fours, rest), (to_fours, to_rest)) = (from.as_chunks(), to.as_chunks_mut());
    for (from, to) in fours.iter().zip(to_fours) {
        body::four_to_s16(from, to);
    }
    let (mut last, mut last_s16) = ([0.0; 4], [0; 4]);
    last[..rest.len()].copy_from_slice(rest);
    body::four_to_s16(&last, &mut last_s16);
    to_rest.copy_from_slice(&last_s16[..rest.len()]);
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod body {
    use core::arch::wasm32::*;

    #[derive(Clone, Copy)]
    pub struct Lanes(v128);

    impl Lanes {
        pub const ZERO: Lanes = Lanes(f32x4(0.0, 0.0, 0.0, 0.0));

        /// Of four from an index.
        #[inline(always)]
        pub fn load<const N: usize>(from: &[f32; N], at: usize) -> Lanes {
            assert!(at + 4 <= N);
            // SAFETY: 16 bytes lie there; the load needs no alignment.
            Lanes(unsafe { v128_load(from.as_ptr().add(at).cast()) })
        }

        #[inline(always)]
        pub fn store(self, to: &mut [f32; 4]) {
            // SAFETY: as above.
            unsafe { v128_store(to.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        pub fn plus(self, other: Lanes) -> Lanes {
            Lanes(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn times(self, other: Lanes) -> Lanes {
            Lanes(f32x4_mul(self.0, other.0))
        }

        /// The sum of each of four, (0 + 2) + (1 + 3), side by side.
        #[inline(always)]
        pub fn sums([a, b, c, d]: [Lanes; 4]) -> Lanes {
            let ab = f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0));
            let cd = f32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
            Lanes(f32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd)))
        }
    }

    #[inline(always)]
    pub fn four_to_s16(from: &[f32; 4], to: &mut [i16; 4]) {
        let scaled = f32x4_nearest(f32x4_mul(Lanes::load(from, 0).0, f32x4_splat(super::FULL_SCALE)));
        let whole = i32x4_trunc_sat_f32x4(scaled);
        // SAFETY: 8 bytes lie there; the store needs no alignment.
        unsafe { v128_store64_lane::<0>(i16x8_narrow_i32x4(whole, whole), to.as_mut_ptr().cast()) }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod body {
    #[derive(Clone, Copy)]
    pub struct Lanes([f32; 4]);

    impl Lanes {
        pub const ZERO: Lanes = Lanes([0.0; 4]);

        /// Of four from an index.
        #[inline(always)]
        pub fn load<const N: usize>(from: &[f32; N], at: usize) -> Lanes {
            Lanes([from[at], from[at + 1], from[at + 2], from[at + 3]])
        }

        #[inline(always)]
        pub fn store(self, to: &mut [f32; 4]) {
            *to = self.0;
        }

        #[inline(always)]
        pub fn plus(self, other: Lanes) -> Lanes {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            Lanes([a + e, b + f, c + g, d + h])
        }

        #[inline(always)]
        pub fn times(self, other: Lanes) -> Lanes {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            Lanes([a * e, b * f, c * g, d * h])
        }

        /// The sum of each of four, (0 + 2) + (1 + 3), side by side.
        #[inline(always)]
        pub fn sums(of: [Lanes; 4]) -> Lanes {
            Lanes(of.map(|Lanes([a, b, c, d])| (a + c) + (b + d)))
        }
    }

    #[inline(always)]
    pub fn four_to_s16(from: &[f32; 4], to: &mut [i16; 4]) {
        *to = from.map(|value| (value * super::FULL_SCALE).round_ties_even() as i16);
    }
}
