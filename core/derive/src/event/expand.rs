//! What is generated for an enum of events.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitStr, Type};

use super::model::Events;

pub(crate) fn expand(events: &Events<'_>) -> TokenStream {
    let ident = events.ident;
    let types = events.types.iter().map(|event| event_type(&event.name, event.version));
    let (arms, readable) = readable(events);
    let items = events.types.iter().map(|event| &event.payload.item);
    let schemas = schemas(events);
    quote! {
        #[automatically_derived]
        impl ::headwater::Event for #ident {
            const TYPES: &'static [::headwater::EventType] = &[#(#types),*];

            fn encode(
                &self,
            ) -> ::core::result::Result<::headwater::EventData, ::headwater::codec::EncodeError> {
                ::headwater::codec::encode_event(self)
            }

            fn decode(
                name: &str,
                schema: u32,
                payload: &[u8],
            ) -> ::core::result::Result<::headwater::Decoded<Self>, ::headwater::codec::DecodeError> {
                match (name, schema) {
                    #(#arms,)*
                    _ => ::core::result::Result::Err(::headwater::codec::unknown_event(
                        name,
                        schema,
                        &[#(#readable),*],
                    )),
                }
            }

            fn schemas() -> ::std::vec::Vec<::headwater::schema::EventSchema> {
                #(#items)*
                ::std::vec![#(#schemas),*]
            }
        }
    }
}

fn event_type(name: &LitStr, version: u32) -> TokenStream {
    quote!(::headwater::EventType { name: #name, schema: #version })
}

/// One arm for each name and version that can be read, and the list of the newest version of each name.
fn readable(events: &Events<'_>) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let (mut arms, mut readable) = (Vec::new(), Vec::new());
    for (index, event) in (0_u32..).zip(&events.types) {
        let current = event.version;
        let names = std::iter::once(&event.name).chain(&event.was);
        let names: Vec<&LitStr> = names.collect();
        arms.push(quote!((#(#names)|*, #current) => ::headwater::codec::decode_current(#index, name, schema, payload)));
        for (version, old) in (1_u32..).zip(&event.from) {
            arms.push(arm(&names, version, old, &quote!(decode_old)));
        }
        readable.extend(names.iter().map(|name| event_type(name, current)));
    }
    for retired in &events.retired {
        arms.push(arm(&[&retired.name], retired.version, &retired.from, &quote!(decode_retired)));
        readable.push(event_type(&retired.name, retired.version));
    }
    (arms, readable)
}

fn arm(names: &[&LitStr], version: u32, old: &Type, decode: &TokenStream) -> TokenStream {
    // The old payload's place, so that a missing `From` or `Deserialize` is shown there.
    quote_spanned! {old.span()=>
        (#(#names)|*, #version) => ::headwater::codec::#decode::<#old, Self>(name, schema, payload)
    }
}

fn schemas(events: &Events<'_>) -> Vec<TokenStream> {
    let mut schemas = Vec::new();
    for event in &events.types {
        let (current, payload) = (event.version, &event.payload.ident);
        for name in std::iter::once(&event.name).chain(&event.was) {
            for (version, old) in (1_u32..).zip(&event.from) {
                schemas.push(schema(name, version, old));
            }
            schemas.push(quote!(::headwater::schema::event_schema::<#payload>(#name, #current)));
        }
    }
    for retired in &events.retired {
        schemas.push(schema(&retired.name, retired.version, &retired.from));
    }
    schemas
}

fn schema(name: &LitStr, version: u32, old: &Type) -> TokenStream {
    quote_spanned!(old.span()=> ::headwater::schema::event_schema::<#old>(#name, #version))
}

/// An impl that compiles, for use beside errors.
pub(crate) fn stub(ident: &Ident) -> TokenStream {
    quote! {
        impl ::headwater::Event for #ident {
            const TYPES: &'static [::headwater::EventType] = &[];

            fn encode(
                &self,
            ) -> ::core::result::Result<::headwater::EventData, ::headwater::codec::EncodeError> {
                ::core::unreachable!()
            }

            fn decode(
                _: &str,
                _: u32,
                _: &[u8],
            ) -> ::core::result::Result<::headwater::Decoded<Self>, ::headwater::codec::DecodeError> {
                ::core::unreachable!()
            }

            fn schemas() -> ::std::vec::Vec<::headwater::schema::EventSchema> {
                ::core::unreachable!()
            }
        }
    }
}
