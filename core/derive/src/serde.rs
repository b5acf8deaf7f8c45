//! What serde's attributes mean for the wire form: some are carried over to the schema, some are refused.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use crate::mistakes::Mistakes;

/// The arguments of every `#[serde(…)]`. What serde itself will complain about is left to serde.
pub(crate) fn arguments(attributes: &[Attribute]) -> Vec<Meta> {
    let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
    let serde = attributes.iter().filter(|attribute| attribute.path().is_ident("serde"));
    serde.filter_map(|attribute| attribute.parse_args_with(parse).ok()).flatten().collect()
}

/// Refuses what would change how an enum is stored. `helper` is the derive's own attribute.
pub(crate) fn refuse_on_enum(attributes: &[Attribute], helper: &str, mistakes: &mut Mistakes) {
    for argument in arguments(attributes) {
        let key = argument.path();
        if ["tag", "untagged", "content"].iter().any(|tagging| key.is_ident(tagging)) {
            let message =
                "the wire name is stored beside the payload, so the payload has no tag: remove this";
            mistakes.on(&argument, message);
        } else if key.is_ident("rename_all") {
            let message = format!(
                "serde's names of variants are not stored: write `#[{helper}(name = \"…\")]` on them"
            );
            mistakes.on(&argument, message);
        } else if ["from", "try_from", "into", "remote"].iter().any(|by| key.is_ident(by)) {
            mistakes.on(&argument, "the enum itself is stored, not another type in its place: remove this");
        }
    }
}

/// Refuses what would change how a variant is stored, or whether it is.
pub(crate) fn refuse_on_variant(attributes: &[Attribute], helper: &str, mistakes: &mut Mistakes) {
    for argument in arguments(attributes) {
        let key = argument.path();
        if ["skip", "skip_serializing", "skip_deserializing"].iter().any(|skip| key.is_ident(skip)) {
            mistakes
                .on(&argument, "every variant must be writable and readable: remove this, or the variant");
        } else if key.is_ident("other") {
            mistakes.on(
                &argument,
                "an unknown name is an error that names it, never another variant: remove this",
            );
        } else if key.is_ident("untagged") {
            let message =
                "the wire name is stored beside the payload, so the payload has no tag: remove this";
            mistakes.on(&argument, message);
        } else if ["with", "serialize_with", "deserialize_with"].iter().any(|with| key.is_ident(with)) {
            mistakes.on(&argument, "a variant is stored field by field: put this on a field");
        } else if key.is_ident("rename") {
            let message = format!(
                "serde's names of variants are not stored: write `#[{helper}(name = \"…\")]` instead"
            );
            mistakes.on(&argument, message);
        } else if key.is_ident("alias") {
            let instead = match helper {
                "event" => "write `#[event(was = \"…\")]` instead",
                _ => "a command has one name; remove this",
            };
            mistakes.on(&argument, format!("serde's names of variants are not read: {instead}"));
        }
    }
}

/// The attributes that give a struct with a variant's fields the variant's JSON.
pub(crate) fn for_payload(of_enum: &[Attribute], of_variant: &[Attribute]) -> TokenStream {
    let (of_enum, of_variant) = (arguments(of_enum), arguments(of_variant));
    let mut kept = Vec::new();
    if let Some(rename) = of_variant.iter().find(|argument| argument.path().is_ident("rename_all")) {
        kept.push(quote!(#rename));
    } else if let Some(rename) = of_enum.iter().find(|argument| argument.path().is_ident("rename_all_fields"))
    {
        kept.push(match rename {
            Meta::NameValue(rename) => {
                let case = &rename.value;
                quote!(rename_all = #case)
            }
            Meta::List(rename) => {
                let cases = &rename.tokens;
                quote!(rename_all(#cases))
            }
            Meta::Path(_) => TokenStream::new(),
        });
    }
    if let Some(deny) = of_enum.iter().find(|argument| argument.path().is_ident("deny_unknown_fields")) {
        kept.push(quote!(#deny));
    }
    if kept.is_empty() { TokenStream::new() } else { quote!(#[serde(#(#kept),*)]) }
}
