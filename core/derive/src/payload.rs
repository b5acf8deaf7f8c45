//! The payload of one variant as a struct of its own, so that it has a JSON Schema.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, DeriveInput, Fields, Variant};

use crate::serde;

/// A struct that is never built: the variant's fields, with what the documentation, serde and schemars say of them.
pub(crate) struct Payload {
    /// Its name, hidden from the user's types.
    pub(crate) ident: Ident,
    /// Its definition.
    pub(crate) item: TokenStream,
}

impl Payload {
    pub(crate) fn of(input: &DeriveInput, variant: &Variant) -> Self {
        let ident = format_ident!("__Payload{}", variant.ident);
        let serde = serde::for_payload(&input.attrs, &variant.attrs);
        let about = variant.attrs.iter().filter(|attribute| is(attribute, &["doc", "schemars"]));
        let fields = match &variant.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            _ => Vec::new(),
        };
        let fields = fields.into_iter().map(|field| {
            let kept = field
                .attrs
                .iter()
                .filter(|attribute| is(attribute, &["doc", "serde", "schemars", "validate"]));
            let (name, ty) = (&field.ident, naming_enum(field.ty.to_token_stream(), &input.ident));
            quote!(#(#kept)* #name: #ty)
        });
        let item = quote! {
            #(#about)*
            #[derive(::headwater::__private::schemars::JsonSchema)]
            #[schemars(crate = "::headwater::__private::schemars")]
            #serde
            #[allow(dead_code)]
            struct #ident { #(#fields),* }
        };
        Self { ident, item }
    }
}

fn is(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attribute.path().is_ident(name))
}

/// `Self` in a field's type is the enum, not the struct made here.
fn naming_enum(tokens: TokenStream, name: &Ident) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => TokenTree::Ident(name.clone()),
        TokenTree::Group(group) => {
            let mut replaced = Group::new(group.delimiter(), naming_enum(group.stream(), name));
            replaced.set_span(group.span());
            TokenTree::Group(replaced)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}
