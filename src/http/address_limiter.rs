//! How often an address may call where nobody needs a key.

use std::net::IpAddr;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::middleware::RateLimit;
use super::{ApiError, ApiResult, Code};

/// Counts the requests of each address.
pub struct AddressLimiter(DefaultKeyedRateLimiter<IpAddr>);

impl AddressLimiter {
    /// Lets each address make so many.
    pub fn new(limit: RateLimit) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        Self(RateLimiter::keyed(quota))
    }

    /// Forgets addresses that have been quiet.
    pub fn forget_quiet(&self) {
        self.0.retain_recent();
    }

    /// Counts a request, or refuses it.
    pub fn count(&self, address: IpAddr) -> ApiResult<()> {
        self.0.check_key(&address).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let message = "Too many requests from this address";
            ApiError::new(Code::TooManyRequests, message).retry_after(wait.as_secs() + 1)
        })
    }
}
