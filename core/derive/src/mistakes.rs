//! The mistakes found in one input, so that all of them are reported at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Data, DeriveInput};

/// Mistakes in the order they were found.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<syn::Error>);

impl Mistakes {
    /// Notes a mistake on these tokens.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// Notes a mistake at a place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// Notes what the parser of `syn` found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// The expansion, or the mistakes followed by the stub.
    pub(crate) fn or(
        self,
        expansion: impl FnOnce() -> TokenStream,
        stub: impl FnOnce() -> TokenStream,
    ) -> TokenStream {
        let Some(all) = self.0.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        }) else {
            return expansion();
        };
        let mut tokens = all.into_compile_error();
        tokens.extend(stub());
        tokens
    }

    /// Refuses type parameters and lifetimes; says whether there are any, because a stub for them would not compile.
    pub(crate) fn refuse_generics(&mut self, input: &DeriveInput, article_and_what: &str, why: &str) -> bool {
        let generic = !input.generics.params.is_empty();
        if generic {
            self.on(&input.generics, format!("{article_and_what} cannot be generic: {why}"));
        }
        generic
    }

    /// Refuses what is not a struct.
    pub(crate) fn refuse_all_but_structs(&mut self, input: &DeriveInput, message: &str) {
        match &input.data {
            Data::Struct(_) => {}
            Data::Enum(data) => self.on(data.enum_token, message),
            Data::Union(data) => self.on(data.union_token, message),
        }
    }
}
