//! A clock for programs that run faster than real time: it stands still until it is set.

use std::sync::atomic::{AtomicU64, Ordering};
pub use std::time::Duration;

static NOW_US: AtomicU64 = AtomicU64::new(0);

/// Sets the time, in microseconds since the program's beginning.
pub fn set_now_us(now_us: u64) {
    NOW_US.store(now_us, Ordering::Relaxed);
}

/// An instant of that clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        Self(Duration::from_micros(NOW_US.load(Ordering::Relaxed)))
    }

    /// Zero if `earlier` is later, like the standard library's.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }
}
