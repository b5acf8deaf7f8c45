//! What an enum of events says: names, versions, older payloads.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident, LitStr, Type, Variant};

use crate::attribute::{Argument, arguments, refuse_repeats};
use crate::mistakes::Mistakes;
use crate::name;
use crate::payload::Payload;
use crate::variants::{self, Claim};

const RETIRED: &str = "retired(name = \"…\", version = 1, from = …V1)";

/// An enum of events.
pub(crate) struct Events<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) types: Vec<EventType>,
    pub(crate) retired: Vec<Retired>,
}

/// One variant.
pub(crate) struct EventType {
    variant: Ident,
    pub(crate) name: LitStr,
    pub(crate) version: u32,
    /// The payloads of the versions before, from 1.
    pub(crate) from: Vec<Type>,
    /// Older wire names.
    pub(crate) was: Vec<LitStr>,
    pub(crate) payload: Payload,
}

/// One version of a type that is read but no longer written.
pub(crate) struct Retired {
    pub(crate) name: LitStr,
    pub(crate) version: u32,
    pub(crate) from: Type,
}

impl<'a> Events<'a> {
    /// The model of the input; what is wrong with it is noted.
    pub(crate) fn of(input: &'a DeriveInput, mistakes: &mut Mistakes) -> Self {
        let mut retired = Vec::new();
        for argument in arguments(&input.attrs, "event", mistakes) {
            if argument.key == "retired" {
                retired.extend(Retired::of(&argument, mistakes));
            } else if ["name", "version", "from", "was"].iter().any(|key| argument.key == key) {
                mistakes.on(&argument.key, "put this on a variant: the enum takes `retired` only");
            } else {
                argument.unknown(&["retired"], mistakes);
            }
        }
        let variants = variants::of(input, "event", mistakes);
        let types = variants.iter().map(|variant| EventType::of(input, variant, mistakes)).collect();
        let events = Self { ident: &input.ident, types, retired };
        events.refuse_clashes(mistakes);
        events
    }

    fn refuse_clashes(&self, mistakes: &mut Mistakes) {
        let mut claims = Vec::new();
        for event in &self.types {
            let owner = format!("the variant `{}`", event.variant);
            claims.push(Claim { name: &event.name, versions: (1, event.version), owner });
        }
        for event in &self.types {
            for was in &event.was {
                let owner = format!("the variant `{}`", event.variant);
                claims.push(Claim { name: was, versions: (1, event.version), owner });
            }
        }
        for Retired { name, version, .. } in &self.retired {
            let owner = format!("a `retired` type, version {version},");
            claims.push(Claim { name, versions: (*version, *version), owner });
        }
        variants::refuse_clashes(
            &claims,
            "one name and version has one payload; choose another name",
            mistakes,
        );
    }
}

impl EventType {
    fn of(input: &DeriveInput, variant: &Variant, mistakes: &mut Mistakes) -> Self {
        let mut name = LitStr::new(&variant.ident.unraw().to_string(), variant.ident.span());
        let mut version = None;
        let mut from = None;
        let mut was = Vec::new();
        let arguments = arguments(&variant.attrs, "event", mistakes);
        refuse_repeats(&arguments, &[], mistakes);
        for argument in &arguments {
            match argument.key.to_string().as_str() {
                "name" => name = argument.text(mistakes).unwrap_or(name),
                "version" => {
                    version = argument.number(mistakes).map(|number| (number, argument.value_span()))
                }
                "from" => from = Some((argument.types(mistakes), argument.key.span())),
                "was" => was = argument.texts(mistakes),
                "retired" => {
                    mistakes.on(&argument.key, "put this on the enum: a retired type has no variant")
                }
                _ => argument.unknown(&["name", "version", "from", "was"], mistakes),
            }
        }
        std::iter::once(&name).chain(&was).for_each(|name| name::check_wire(name, mistakes));
        let payload = Payload::of(input, variant);
        let unreadable = version.is_none() && arguments.iter().any(|argument| argument.key == "version");
        let (version, from) = match unreadable {
            true => (1, Vec::new()),
            false => check_versions(&variant.ident, version, from, mistakes),
        };
        Self { variant: variant.ident.clone(), name, version, from, was, payload }
    }
}

/// Checks that there is one older payload for each version before the current one.
fn check_versions(
    variant: &Ident,
    version: Option<(u32, Span)>,
    from: Option<(Vec<Type>, Span)>,
    mistakes: &mut Mistakes,
) -> (u32, Vec<Type>) {
    match (version, from) {
        (None, None) => (1, Vec::new()),
        (Some((version, at)), None) => {
            if version > 1 {
                let before = version - 1;
                let from = example(variant, before);
                let what = if before == 1 {
                    "the payload of version 1"
                } else {
                    "the payloads of the versions before"
                };
                mistakes.at(at, format!("version {version} needs {what}: add `{from}`"));
            }
            (version, Vec::new())
        }
        (None, Some((from, at))) => {
            // Without types the mistake is in `from` and has been noted.
            if !from.is_empty() {
                let version = from.len() + 1;
                mistakes.at(at, format!("`from` needs the version it led to: add `version = {version}`"));
            }
            (1, from)
        }
        (Some((version, at)), Some((from, from_at))) => {
            let (needed, got) = (usize::try_from(version).unwrap_or(usize::MAX) - 1, from.len());
            if needed == 0 && got > 0 {
                mistakes.at(
                    at,
                    format!("version 1 has no older payloads: raise it to {}, or remove `from`", got + 1),
                );
            } else if got > 0 && needed != got {
                let payloads = if needed == 1 { "payload" } else { "payloads" };
                let from = example(variant, version - 1);
                mistakes.at(
                    from_at,
                    format!("version {version} needs {needed} old {payloads}, got {got}: write `{from}`, oldest first"),
                );
            }
            (version, from)
        }
    }
}

/// How `from` is written for this many old payloads.
fn example(variant: &Ident, versions: u32) -> String {
    match versions {
        1 => format!("from = {variant}V1"),
        2..=4 => {
            let all: Vec<String> = (1..=versions).map(|version| format!("{variant}V{version}")).collect();
            format!("from({})", all.join(", "))
        }
        _ => format!("from({variant}V1, …, {variant}V{versions})"),
    }
}

impl Retired {
    fn of(argument: &Argument, mistakes: &mut Mistakes) -> Option<Self> {
        let inner = argument.inner(RETIRED, mistakes)?;
        refuse_repeats(&inner, &[], mistakes);
        let mut given = (None, None, None);
        for argument in &inner {
            match argument.key.to_string().as_str() {
                "name" => given.0 = Some(argument.text(mistakes)),
                "version" => given.1 = Some(argument.number(mistakes)),
                "from" => {
                    let types = argument.types(mistakes);
                    if types.len() > 1 {
                        mistakes.at(
                            argument.value_span(),
                            "each version is retired for itself: repeat `retired(…)`",
                        );
                    }
                    given.2 = Some(types.into_iter().next());
                }
                _ => argument.unknown(&["name", "version", "from"], mistakes),
            }
        }
        let (Some(name), Some(version), Some(from)) = given else {
            mistakes.on(
                &argument.key,
                format!("a retired type has a name, a version and a payload: write `{RETIRED}`"),
            );
            return None;
        };
        let (name, version, from) = (name?, version?, from?);
        name::check_wire(&name, mistakes);
        Some(Self { name, version, from })
    }
}
