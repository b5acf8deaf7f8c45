//! The arguments of a derive's own attribute: `key`, `key = value` and `key(…)`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Lit, LitStr, Meta, Token, Type, parenthesized, token};

use crate::mistakes::Mistakes;

/// One argument.
pub(crate) struct Argument {
    pub(crate) key: Ident,
    value: Value,
}

/// What follows the key.
enum Value {
    Nothing,
    Literal(Lit),
    Type(Box<Type>),
    List(TokenStream),
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = Ident::parse_any(input)?;
        let value = if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(content.parse()?)
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            match input.fork().parse::<Lit>() {
                Ok(_) => Value::Literal(input.parse()?),
                Err(_) => Value::Type(Box::new(input.parse()?)),
            }
        } else {
            Value::Nothing
        };
        Ok(Self { key, value })
    }
}

/// The arguments of every `#[name(…)]` among the attributes.
pub(crate) fn arguments(attributes: &[Attribute], name: &str, mistakes: &mut Mistakes) -> Vec<Argument> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        match &attribute.meta {
            Meta::List(list) => all.extend(list_of(list.tokens.clone(), mistakes)),
            other => mistakes.on(other, format!("write the arguments in parentheses: `#[{name}(…)]`")),
        }
    }
    all
}

fn list_of<T: Parse>(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<T> {
    match Punctuated::<T, Token![,]>::parse_terminated.parse2(tokens) {
        Ok(list) => list.into_iter().collect(),
        Err(error) => {
            mistakes.push(error);
            Vec::new()
        }
    }
}

/// Refuses a key that is given twice, unless it may be repeated.
pub(crate) fn refuse_repeats(arguments: &[Argument], repeatable: &[&str], mistakes: &mut Mistakes) {
    for (index, argument) in arguments.iter().enumerate() {
        let before = arguments.iter().take(index).any(|other| other.key == argument.key);
        if before && !repeatable.iter().any(|key| argument.key == key) {
            mistakes.on(&argument.key, format!("`{}` is given twice: keep one of them", argument.key));
        }
    }
}

impl Argument {
    /// Notes that the key is not among the known ones.
    pub(crate) fn unknown(&self, known: &[&str], mistakes: &mut Mistakes) {
        let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
        let are = if known.len() == 1 { "is" } else { "are" };
        mistakes.on(&self.key, format!("`{}` is unknown here: known {are} {}", self.key, known.join(", ")));
    }

    /// `key = "text"`.
    pub(crate) fn text(&self, mistakes: &mut Mistakes) -> Option<LitStr> {
        let key = &self.key;
        match &self.value {
            Value::Literal(Lit::Str(text)) => Some(text.clone()),
            _ => {
                mistakes.at(self.value_span(), format!("`{key}` is text in quotes: write `{key} = \"…\"`"));
                None
            }
        }
    }

    /// `key = 3`: a whole number from 1.
    pub(crate) fn number(&self, mistakes: &mut Mistakes) -> Option<u32> {
        let number = match &self.value {
            Value::Literal(Lit::Int(number)) => {
                number.base10_parse::<u32>().ok().filter(|number| *number > 0)
            }
            _ => None,
        };
        if number.is_none() {
            let key = &self.key;
            mistakes.at(self.value_span(), format!("`{key}` is a whole number from 1: write `{key} = 1`"));
        }
        number
    }

    /// `key` alone.
    pub(crate) fn flag(&self, mistakes: &mut Mistakes) -> bool {
        if !matches!(self.value, Value::Nothing) {
            mistakes.at(self.value_span(), format!("`{0}` takes no value: write `{0}` alone", self.key));
        }
        true
    }

    /// `key = Type` or `key(Type, Type)`.
    pub(crate) fn types(&self, mistakes: &mut Mistakes) -> Vec<Type> {
        match &self.value {
            Value::Type(one) => vec![(**one).clone()],
            Value::List(tokens) if !tokens.is_empty() => list_of(tokens.clone(), mistakes),
            _ => {
                let key = &self.key;
                mistakes.at(self.value_span(), format!("`{key}` names types: write `{key}(TypeA, TypeB)`"));
                Vec::new()
            }
        }
    }

    /// `key = "text"` or `key("text", "text")`.
    pub(crate) fn texts(&self, mistakes: &mut Mistakes) -> Vec<LitStr> {
        match &self.value {
            Value::List(tokens) if !tokens.is_empty() => list_of(tokens.clone(), mistakes),
            _ => self.text(mistakes).into_iter().collect(),
        }
    }

    /// `key(ident, ident)`.
    pub(crate) fn idents(&self, example: &str, mistakes: &mut Mistakes) -> Vec<Ident> {
        match &self.value {
            Value::List(tokens) if !tokens.is_empty() => list_of(tokens.clone(), mistakes),
            _ => {
                mistakes.at(self.value_span(), format!("`{}` is a list: write `{example}`", self.key));
                Vec::new()
            }
        }
    }

    /// `key(key = value, …)`.
    pub(crate) fn inner(&self, example: &str, mistakes: &mut Mistakes) -> Option<Vec<Argument>> {
        match &self.value {
            Value::List(tokens) => Some(list_of(tokens.clone(), mistakes)),
            _ => {
                mistakes.at(self.value_span(), format!("`{}` has arguments: write `{example}`", self.key));
                None
            }
        }
    }

    /// The value's place, or the key's when there is no value.
    pub(crate) fn value_span(&self) -> Span {
        match &self.value {
            Value::Nothing => self.key.span(),
            Value::Literal(literal) => literal.span(),
            Value::Type(one) => one.span(),
            Value::List(tokens) if tokens.is_empty() => self.key.span(),
            Value::List(tokens) => tokens.span(),
        }
    }
}
