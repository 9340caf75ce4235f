//! How long to wait before asking a model again. Pure: the turn does the waiting, on its own clock.

use std::time::Duration;

/// How often a request is asked before its error stands, the first time included.
pub const MAX_ATTEMPTS: u32 = 5;

/// The longest wait that a provider may ask for. Beyond it the person had better know than wait.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(20);
/// How far a wait strays from its middle, so that sessions that failed together do not come back together.
const SPREAD: f64 = 0.25;

/// The wait after the `attempt`th failure (from 1), or `None` to give up. `jitter` is a fraction in [0, 1). What the provider asks for
/// is waited in full, and up to a quarter of it more.
#[must_use]
pub fn delay(attempt: u32, retry_after: Option<Duration>, jitter: f64) -> Option<Duration> {
    if attempt >= MAX_ATTEMPTS {
        return None;
    }
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    match retry_after {
        Some(asked) if asked > MAX_RETRY_AFTER => None,
        // Zero is said by servers that mean "soon"; hammering them helps nobody.
        Some(asked) if asked > Duration::ZERO => Some(asked.mul_f64(1.0 + SPREAD * jitter)),
        Some(_) | None => {
            let doubled = BASE.saturating_mul(1_u32 << attempt.saturating_sub(1).min(16));
            Some(doubled.min(CAP).mul_f64(1.0 - SPREAD + 2.0 * SPREAD * jitter))
        }
    }
}

#[cfg(test)]
mod tests;
