//! From the enum as it is written to its implementation, or to its mistakes.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use super::{expand, model};
use crate::mistakes::Mistakes;

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let generic = mistakes.refuse_generics(
        input,
        "an event type",
        "what is stored has one shape for each name and version",
    );
    let events = model::Events::of(input, &mut mistakes);
    mistakes.or(
        || expand::expand(&events),
        || if generic { TokenStream::new() } else { expand::stub(&input.ident) },
    )
}
