//! `#[derive(Command)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DeriveInput, LitStr};

use crate::attribute::{arguments, refuse_repeats};
use crate::mistakes::Mistakes;
use crate::name;
use crate::payload::Payload;
use crate::variants::{self, Claim};

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let generic = mistakes.refuse_generics(
        input,
        "a command type",
        "its commands are known by name, in one shape each",
    );
    arguments(&input.attrs, "command", &mut mistakes).iter().for_each(|argument| {
        mistakes.on(&argument.key, "put this on a variant: the enum takes no arguments")
    });
    let variants = variants::of(input, "command", &mut mistakes);
    let named: Vec<(LitStr, bool)> =
        variants.iter().map(|variant| attributes(variant, &mut mistakes)).collect();
    let names: Vec<LitStr> = named.iter().map(|(name, _)| name.clone()).collect();
    let needing: Vec<&LitStr> = named.iter().filter(|(_, needs)| *needs).map(|(name, _)| name).collect();
    let claims: Vec<Claim<'_>> = names
        .iter()
        .zip(&variants)
        .map(|(name, variant)| Claim {
            name,
            versions: (1, 1),
            owner: format!("the variant `{}`", variant.ident),
        })
        .collect();
    variants::refuse_clashes(&claims, "write `#[command(name = \"…\")]` on one of them", &mut mistakes);

    let payloads: Vec<Payload> = variants.iter().map(|variant| Payload::of(input, variant)).collect();
    mistakes.or(
        || expand(input, &names, &needing, &payloads),
        || if generic { TokenStream::new() } else { stub(input) },
    )
}

/// The wire name, and whether the command must say which version it expects.
fn attributes(variant: &syn::Variant, mistakes: &mut Mistakes) -> (LitStr, bool) {
    let mut name = LitStr::new(&name::kebab(&variant.ident.unraw().to_string()), variant.ident.span());
    let arguments = arguments(&variant.attrs, "command", mistakes);
    refuse_repeats(&arguments, &[], mistakes);
    let mut needs_version = false;
    for argument in &arguments {
        match argument.key.to_string().as_str() {
            "name" => {
                if let Some(given) = argument.text(mistakes) {
                    name::check_wire(&given, mistakes);
                    name = given;
                }
            }
            "needs_version" => needs_version = argument.flag(mistakes),
            _ => argument.unknown(&["name", "needs_version"], mistakes),
        }
    }
    (name, needs_version)
}

fn expand(input: &DeriveInput, names: &[LitStr], needing: &[&LitStr], payloads: &[Payload]) -> TokenStream {
    let ident = &input.ident;
    let arms = (0_u32..)
        .zip(names)
        .map(|(index, name)| quote!(#name => ::headwater::codec::decode_command(#index, name, data)));
    let items = payloads.iter().map(|payload| &payload.item);
    let schemas = names.iter().zip(payloads).map(|(name, payload)| {
        let payload = &payload.ident;
        quote!(::headwater::schema::command_schema::<#payload>(#name))
    });
    quote! {
        #[automatically_derived]
        impl ::headwater::Command for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];
            const NEEDS_VERSION: &'static [&'static str] = &[#(#needing),*];

            fn encode(
                &self,
            ) -> ::core::result::Result<
                (&'static str, ::std::vec::Vec<u8>),
                ::headwater::codec::EncodeError,
            > {
                ::headwater::codec::encode_command(self)
            }

            fn decode(
                name: &str,
                data: &[u8],
            ) -> ::core::result::Result<Self, ::headwater::codec::CommandError> {
                match name {
                    #(#arms,)*
                    _ => ::core::result::Result::Err(::headwater::codec::unknown_command(
                        name,
                        <Self as ::headwater::Command>::NAMES,
                    )),
                }
            }

            fn schemas() -> ::std::vec::Vec<::headwater::schema::CommandSchema> {
                #(#items)*
                ::std::vec![#(#schemas),*]
            }
        }
    }
}

fn stub(input: &DeriveInput) -> TokenStream {
    let ident = &input.ident;
    quote! {
        impl ::headwater::Command for #ident {
            const NAMES: &'static [&'static str] = &[];

            fn encode(
                &self,
            ) -> ::core::result::Result<
                (&'static str, ::std::vec::Vec<u8>),
                ::headwater::codec::EncodeError,
            > {
                ::core::unreachable!()
            }

            fn decode(_: &str, _: &[u8]) -> ::core::result::Result<Self, ::headwater::codec::CommandError> {
                ::core::unreachable!()
            }

            fn schemas() -> ::std::vec::Vec<::headwater::schema::CommandSchema> {
                ::core::unreachable!()
            }
        }
    }
}
