//! What events and commands have in common: an enum whose variants have names on the wire.

use syn::{Data, DeriveInput, Fields, LitStr, Variant};

use crate::mistakes::Mistakes;
use crate::serde;

/// The variants of an enum, each checked for its form; what is not an enum has none.
pub(crate) fn of<'a>(input: &'a DeriveInput, helper: &str, mistakes: &mut Mistakes) -> Vec<&'a Variant> {
    let instead =
        format!("{helper}s are an enum with a variant for each: write `enum {} {{ … }}`", input.ident);
    let data = match &input.data {
        Data::Enum(data) => data,
        Data::Struct(data) => {
            mistakes.on(data.struct_token, instead);
            return Vec::new();
        }
        Data::Union(data) => {
            mistakes.on(data.union_token, instead);
            return Vec::new();
        }
    };
    if data.variants.is_empty() {
        mistakes.on(&input.ident, format!("there are no {helper}s in it: add a variant for each"));
    }
    serde::refuse_on_enum(&input.attrs, helper, mistakes);
    for variant in &data.variants {
        serde::refuse_on_variant(&variant.attrs, helper, mistakes);
        if let Fields::Unnamed(fields) = &variant.fields {
            let name = &variant.ident;
            mistakes.on(
                fields,
                format!("give the fields names, they are the keys of its JSON: `{name} {{ name: Type }}`"),
            );
        }
    }
    data.variants.iter().collect()
}

/// A wire name and who has it: which versions, and where it is written.
pub(crate) struct Claim<'a> {
    pub(crate) name: &'a LitStr,
    /// The versions it is claimed for, from and to.
    pub(crate) versions: (u32, u32),
    /// Whose it is, for the message.
    pub(crate) owner: String,
}

/// Refuses a name and version that two claim, on the later one.
pub(crate) fn refuse_clashes(claims: &[Claim<'_>], way_out: &str, mistakes: &mut Mistakes) {
    for (index, claim) in claims.iter().enumerate() {
        let (first, last) = claim.versions;
        let taken = claims.iter().take(index).find(|other| {
            other.name.value() == claim.name.value() && other.versions.0 <= last && first <= other.versions.1
        });
        if let Some(Claim { owner, .. }) = taken {
            let name = claim.name.value();
            mistakes.at(
                claim.name.span(),
                format!("the wire name `{name}` belongs to {owner} already: {way_out}"),
            );
        }
    }
}
