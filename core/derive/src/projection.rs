//! `#[derive(Projection)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Expr, ExprLit, Field, Ident, Lit, LitStr, Meta, Type};

use crate::attribute::{arguments, refuse_repeats};
use crate::mistakes::Mistakes;
use crate::name;
use crate::serde;

const KNOWN: &[&str] = &["name", "version", "from", "shared", "index"];

/// What the attribute says.
#[derive(Default)]
struct Projection {
    name: Option<LitStr>,
    version: u32,
    from: Vec<Type>,
    shared: bool,
    /// The fields as they are written in a row.
    indexes: Vec<String>,
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    mistakes
        .refuse_all_but_structs(input, "a projection is a struct, one row of the read model: write `struct`");
    let generic = mistakes.refuse_generics(input, "a projection", "its name stands for one type");
    let projection = model(input, &mut mistakes);
    mistakes.or(
        || expand(input, &projection),
        || if generic { TokenStream::new() } else { expand(input, &Projection::default()) },
    )
}

fn model(input: &DeriveInput, mistakes: &mut Mistakes) -> Projection {
    let mut projection = Projection { version: 1, ..Projection::default() };
    let arguments = arguments(&input.attrs, "projection", mistakes);
    refuse_repeats(&arguments, &[], mistakes);
    let given = |key: &str| arguments.iter().any(|argument| argument.key == key);
    let mut from_span = Span::call_site();
    for argument in &arguments {
        match argument.key.to_string().as_str() {
            "name" => {
                projection.name = argument.text(mistakes);
                projection.name.iter().for_each(|name| name::check_projection(name, mistakes));
            }
            "version" => projection.version = argument.number(mistakes).unwrap_or(1),
            "from" => {
                from_span = argument.key.span();
                projection.from = argument.types(mistakes);
            }
            "shared" => projection.shared = argument.flag(mistakes),
            "index" => {
                let idents = argument.idents("index(field)", mistakes);
                projection.indexes = indexes(input, &idents, mistakes);
            }
            _ => argument.unknown(KNOWN, mistakes),
        }
    }
    if !given("name") {
        let example = name::kebab(&input.ident.unraw().to_string());
        mistakes.on(
            &input.ident,
            format!("a projection needs a name for its rows: add `#[projection(name = \"{example}\", …)]`"),
        );
    }
    if !given("from") {
        mistakes.on(&input.ident, "say which aggregates it reads: add `from(…)` to `#[projection(…)]`");
    }
    refuse_twice(&projection.from, mistakes);
    if projection.from.len() > 1 && !given("shared") {
        mistakes.at(from_span, "a row fed by several streams keeps its versions apart: add `shared`");
    }
    projection
}

fn refuse_twice<T: ToTokens>(list: &[T], mistakes: &mut Mistakes) {
    for (index, item) in list.iter().enumerate() {
        let text = item.to_token_stream().to_string();
        if list.iter().take(index).any(|other| other.to_token_stream().to_string() == text) {
            mistakes.on(item, format!("`{text}` is named twice: keep one of them"));
        }
    }
}

/// The names that the indexed fields have in a row.
fn indexes(input: &DeriveInput, idents: &[Ident], mistakes: &mut Mistakes) -> Vec<String> {
    refuse_twice(idents, mistakes);
    let fields: Vec<&Field> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        _ => return Vec::new(),
    };
    let known: Vec<String> =
        fields.iter().filter_map(|field| field.ident.as_ref()).map(|field| format!("`{field}`")).collect();
    let rename_all =
        serde::arguments(&input.attrs).into_iter().find(|argument| argument.path().is_ident("rename_all"));
    if let Some(rename_all) = rename_all {
        mistakes.on(
            rename_all,
            "an index goes by the field's name in a row: rename the fields one by one instead",
        );
    }
    let mut names = Vec::new();
    for ident in idents {
        match fields.iter().find(|field| field.ident.as_ref() == Some(ident)) {
            Some(field) => names.extend(name_in_row(field, ident, mistakes)),
            None if known.is_empty() => {
                mistakes.on(ident, format!("`{ident}` is not a field: this struct has none"))
            }
            None => mistakes.on(ident, format!("`{ident}` is not a field: there are {}", known.join(", "))),
        }
    }
    names
}

fn name_in_row(field: &Field, ident: &Ident, mistakes: &mut Mistakes) -> Option<String> {
    for argument in serde::arguments(&field.attrs) {
        let key = argument.path();
        if ["skip", "skip_serializing", "flatten"].iter().any(|gone| key.is_ident(gone)) {
            mistakes.on(
                ident,
                format!("`{ident}` is not written to the row under its name, so it cannot be an index"),
            );
            return None;
        }
        if let Meta::NameValue(argument) = &argument
            && argument.path.is_ident("rename")
            && let Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) = &argument.value
        {
            return Some(name.value());
        }
    }
    Some(ident.unraw().to_string())
}

fn expand(input: &DeriveInput, projection: &Projection) -> TokenStream {
    let ident = &input.ident;
    let Projection { version, shared, indexes, .. } = projection;
    let name = projection.name.as_ref().map_or_else(String::new, LitStr::value);
    let sources = projection.from.iter().map(|aggregate| {
        // The aggregate's place, so that a missing `Project` is shown there.
        quote_spanned!(aggregate.span()=> ::headwater_projections::Source::of::<#aggregate>())
    });
    quote! {
        #[automatically_derived]
        impl ::headwater_projections::Projection for #ident {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
            const SHARED: bool = #shared;
            const INDEXES: &'static [&'static str] = &[#(#indexes),*];

            fn sources() -> ::std::vec::Vec<::headwater_projections::Source<Self>> {
                ::std::vec![#(#sources),*]
            }
        }
    }
}
