//! The rules of names that reach the wire.

use syn::LitStr;

use crate::mistakes::Mistakes;

/// Longest category in bytes; the same as `headwater::MAX_CATEGORY_BYTES`.
const MAX_CATEGORY_BYTES: usize = 64;

/// Longest name of a projection in bytes: a table's name has room for it.
const MAX_PROJECTION_BYTES: usize = 40;

/// Longest wire name of an event or command in bytes.
const MAX_WIRE_BYTES: usize = 64;

/// Checks the category of an aggregate, as `headwater::check_category` does at run time.
pub(crate) fn check_category(category: &LitStr, mistakes: &mut Mistakes) {
    check_slug("category", category, MAX_CATEGORY_BYTES, mistakes);
}

/// Checks the name of a projection.
pub(crate) fn check_projection(name: &LitStr, mistakes: &mut Mistakes) {
    check_slug("name", name, MAX_PROJECTION_BYTES, mistakes);
}

fn check_slug(what: &str, text: &LitStr, max_bytes: usize, mistakes: &mut Mistakes) {
    let value = text.value();
    let allowed = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let starts = value.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if !(allowed && starts && value.len() <= max_bytes) {
        mistakes.on(
            text,
            format!(
                "{what} {value:?} is not valid: use 1 to {max_bytes} lower-case letters, digits and hyphens, \
                 starting with a letter"
            ),
        );
    }
}

/// Checks the wire name of an event or command: it stands in URLs and names a file of the schema lock.
pub(crate) fn check_wire(name: &LitStr, mistakes: &mut Mistakes) {
    let value = name.value();
    let allowed = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let starts = value.chars().next().is_some_and(char::is_alphabetic);
    if !(allowed && starts && value.len() <= MAX_WIRE_BYTES) {
        mistakes.on(
            name,
            format!(
                "wire name {value:?} is not valid: use 1 to {MAX_WIRE_BYTES} bytes of letters, digits, hyphens, \
                 underscores and dots, starting with a letter"
            ),
        );
    }
}

/// `OpenWide` as `open-wide`.
pub(crate) fn kebab(camel: &str) -> String {
    let letters: Vec<char> = camel.chars().collect();
    let mut kebab = String::with_capacity(camel.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        if *letter == '_' {
            kebab.push('-');
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let word_ends = before.is_some_and(|c| c.is_lowercase() || c.is_numeric());
        let acronym_ends =
            before.is_some_and(|c| c.is_uppercase()) && after.is_some_and(|c| c.is_lowercase());
        if letter.is_uppercase() && (word_ends || acronym_ends) {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::kebab;

    #[test]
    fn names_are_written_in_kebab_case() {
        let cases = [
            ("Open", "open"),
            ("OpenWide", "open-wide"),
            ("SendHTTPRequest", "send-http-request"),
            ("Open2Doors", "open2-doors"),
            ("Set_Limit", "set-limit"),
            ("PLZ", "plz"),
        ];
        for (camel, expected) in cases {
            assert_eq!(kebab(camel), expected);
        }
    }
}
