//! Whether any try of a request may have been carried out without its answer reaching us.
//!
//! The SDK tries again by itself and reports the last error only. "Throttled" after a lost answer does not mean that
//! nothing was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;

/// Looks at the answer to every try of one request.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    sending: AtomicBool,
    maybe_done: AtomicBool,
}

impl Attempts {
    /// Whether a try that was sent ended without an answer, or with one that leaves it open (5xx).
    #[must_use]
    pub fn maybe_done(&self) -> bool {
        self.state.maybe_done.load(Ordering::Acquire)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "headwater attempts"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.state.sending.store(true, Ordering::Release);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let sent = self.state.sending.swap(false, Ordering::AcqRel);
        // An answer that was cut off after its head is none, whatever its status promises.
        let understood = matches!(context.output_or_error(), Some(Ok(_)));
        let refused = context.response().is_some_and(|response| response.status().is_client_error());
        let answered = understood || refused;
        if sent && !answered {
            self.state.maybe_done.store(true, Ordering::Release);
        }
        Ok(())
    }
}
