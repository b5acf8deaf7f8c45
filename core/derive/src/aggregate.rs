//! `#[derive(Aggregate)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DeriveInput, LitStr};

use crate::attribute::{Argument, arguments, refuse_repeats};
use crate::mistakes::Mistakes;
use crate::name;

const SNAPSHOT: &str = "snapshot(every = 100, version = 1)";

/// When snapshots are taken.
struct Snapshot {
    every: u32,
    version: u32,
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    mistakes.refuse_all_but_structs(input, "an aggregate is a struct, its state: write `struct`");
    let generic = mistakes.refuse_generics(input, "an aggregate", "its category names one type");
    let mut category = None;
    let mut snapshot = None;
    let arguments = arguments(&input.attrs, "aggregate", &mut mistakes);
    refuse_repeats(&arguments, &[], &mut mistakes);
    for argument in &arguments {
        match argument.key.to_string().as_str() {
            "category" => {
                let text = argument.text(&mut mistakes);
                text.iter().for_each(|text| name::check_category(text, &mut mistakes));
                category = Some(text);
            }
            "snapshot" => snapshot = snapshot_of(argument, &mut mistakes),
            _ => argument.unknown(&["category", "snapshot"], &mut mistakes),
        }
    }
    if category.is_none() {
        let example = name::kebab(&input.ident.unraw().to_string());
        mistakes.on(
            &input.ident,
            format!(
                "an aggregate needs a category for its streams: add `#[aggregate(category = \"{example}\")]`"
            ),
        );
    }
    let category = category.flatten();
    mistakes.or(
        || expand(input, category.as_ref(), snapshot.as_ref()),
        || if generic { TokenStream::new() } else { expand(input, None, None) },
    )
}

fn snapshot_of(argument: &Argument, mistakes: &mut Mistakes) -> Option<Snapshot> {
    let inner = argument.inner(SNAPSHOT, mistakes)?;
    refuse_repeats(&inner, &[], mistakes);
    let (mut every, mut version) = (None, Some(1));
    for argument in &inner {
        match argument.key.to_string().as_str() {
            "every" => every = Some(argument.number(mistakes)),
            "version" => version = argument.number(mistakes),
            _ => argument.unknown(&["every", "version"], mistakes),
        }
    }
    if every.is_none() {
        mistakes.on(&argument.key, format!("say after how many events: write `{SNAPSHOT}`"));
    }
    Some(Snapshot { every: every.flatten()?, version: version? })
}

fn expand(input: &DeriveInput, category: Option<&LitStr>, snapshot: Option<&Snapshot>) -> TokenStream {
    let ident = &input.ident;
    let category = category.map_or_else(String::new, LitStr::value);
    let snapshot = match snapshot {
        None => quote!(::core::option::Option::None),
        Some(Snapshot { every, version }) => {
            let every = u64::from(*every);
            quote! {
                ::core::option::Option::Some(::headwater::SnapshotPolicy { every: #every, version: #version })
            }
        }
    };
    quote! {
        #[automatically_derived]
        impl ::headwater::Aggregate for #ident {
            const CATEGORY: &'static str = #category;
            const SNAPSHOT: ::core::option::Option<::headwater::SnapshotPolicy> = #snapshot;
        }
    }
}
