//! Which changes of a payload each mode allows, and what is said about the others.

use std::borrow::Cow;

use headwater::JsonSchema;
use headwater::schema::{Mode, compare};
use schemars::schema_for;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Compares two types as the payload of one event, in every mode; a change is `path: what`.
#[track_caller]
fn check<Old: JsonSchema, New: JsonSchema>(backward: &[&str], forward: &[&str]) {
    let (old, new) = (schema_for!(Old).to_value(), schema_for!(New).to_value());
    let changes = |mode| -> Vec<String> {
        compare(&old, &new, mode).iter().map(|change| format!("{}: {}", change.path, change.what)).collect()
    };
    assert_eq!(changes(Mode::Backward), backward, "backward\nold {old:#}\nnew {new:#}");
    assert_eq!(changes(Mode::Forward), forward, "forward\nold {old:#}\nnew {new:#}");
    let mut full: Vec<&str> = backward.to_vec();
    full.extend(forward.iter().filter(|change| !backward.contains(change)));
    assert_eq!(changes(Mode::Full), full, "full");
}

/// Declares types that exist for their schema only.
macro_rules! payloads {
    ($($item:item)*) => {$(
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[allow(dead_code)]
        $item
    )*};
}

#[test]
fn notes_and_order_do_not_matter() {
    payloads! {
        struct Old { a: u8, b: String }
        /// With a description.
        #[schemars(title = "Something")]
        struct New {
            /// Described.
            b: String,
            #[schemars(example = 7)]
            a: u8,
        }
    }
    check::<Old, New>(&[], &[]);
}

#[test]
fn a_new_field_needs_a_default() {
    payloads! {
        struct Old { a: u8 }
        struct Required { a: u8, b: u8 }
        struct Optional { a: u8, b: Option<u8> }
        struct Defaulted { a: u8, #[serde(default)] b: u8 }
    }
    check::<Old, Required>(&["b: it is new and required: old events do not have it"], &[]);
    check::<Old, Optional>(&[], &[]);
    check::<Old, Defaulted>(&[], &[]);
}

#[test]
fn a_removed_field_matters_to_old_readers() {
    payloads! {
        struct Old { a: u8, b: u8 }
        struct New { a: u8 }
        #[serde(deny_unknown_fields)]
        struct Strict { a: u8 }
    }
    check::<Old, New>(&[], &["b: it was removed: old readers require it"]);
    check::<Old, Strict>(
        &["b: it was removed, and unknown fields are refused"],
        &["b: it was removed: old readers require it"],
    );
    check::<Strict, Old>(
        &["b: it is new and required: old events do not have it"],
        &["b: it is new, and old readers refuse unknown fields"],
    );
}

#[test]
fn optional_and_required_are_one_way_each() {
    payloads! {
        struct Required { a: u8 }
        struct Defaulted { #[serde(default)] a: u8 }
        struct Nullable { a: Option<u8> }
    }
    check::<Required, Defaulted>(&[], &["a: it was required and is optional now: old readers require it"]);
    check::<Defaulted, Required>(&["a: it was optional and is required now"], &[]);
    check::<Nullable, Required>(
        &[
            "a: it was optional and is required now",
            "a: its type was integer (uint8) or null and is integer (uint8) now",
        ],
        &[],
    );
}

#[test]
fn a_changed_type_breaks_both_ways() {
    payloads! {
        struct Text { a: String, more: Inner<String> }
        struct Number { a: u64, more: Inner<u64> }
        struct Inner<T> { list: Vec<T>, pair: (T, u8) }
    }
    let changes = [
        "a: its type was string and is integer (uint64) now",
        "more.list[]: its type was string and is integer (uint64) now",
        "more.pair[0]: its type was string and is integer (uint64) now",
    ];
    check::<Text, Number>(&changes, &changes);
}

#[test]
fn a_number_may_grow_but_not_shrink() {
    payloads! {
        struct Small { a: u8 }
        struct Large { a: u64 }
        struct Signed { a: i64 }
        struct Real { a: f64 }
        struct Bounded { #[schemars(range(max = 1000))] a: u64 }
    }
    check::<Small, Large>(&[], &["a: its type was integer (uint8) and is integer (uint64) now"]);
    check::<Large, Small>(&["a: its type was integer (uint64) and is integer (uint8) now"], &[]);
    check::<Small, Signed>(&[], &["a: its type was integer (uint8) and is integer (int64) now"]);
    let signed = ["a: its type was integer (uint64) and is integer (int64) now"];
    check::<Large, Signed>(&signed, &signed);
    check::<Large, Bounded>(&["a: its `maximum` was 18446744073709552000 and is 1000 now"], &[]);
    check::<Small, Real>(&[], &["a: its type was integer (uint8) and is number (double) now"]);
}

#[test]
fn a_list_may_not_change_its_length() {
    payloads! {
        struct Any { a: Vec<u8> }
        struct Three { a: [u8; 3] }
    }
    check::<Three, Any>(
        &[],
        &["a: its `minItems` was 3 and is none now", "a: its `maxItems` was 3 and is none now"],
    );
}

#[test]
fn a_map_a_list_and_an_object_are_different_things() {
    use std::collections::BTreeMap;
    payloads! {
        struct Map { a: BTreeMap<String, u8> }
        struct OtherMap { a: BTreeMap<String, bool> }
        struct List { a: Vec<u8> }
        struct Free { a: Value }
    }
    let values = ["a.*: its type was integer (uint8) and is boolean now"];
    check::<Map, OtherMap>(&values, &values);
    let list = ["a: its type was object and is array now"];
    check::<Map, List>(&list, &list);
    check::<Map, Free>(&[], &["a: its type was object and is anything now"]);
}

#[test]
fn values_of_an_enum_may_be_added_for_new_readers_only() {
    payloads! {
        struct Old { a: Two }
        struct New { a: Three }
        enum Two { A, B }
        enum Three { A, B, C }
        struct OldNoted { a: TwoNoted }
        struct NewNoted { a: Option<ThreeNoted> }
        enum TwoNoted {
            /// Noted.
            A,
            B,
        }
        enum ThreeNoted {
            /// Noted.
            A,
            /// Noted, too.
            B,
            C,
        }
    }
    check::<Old, New>(&[], &["a: `C` is new: old readers do not know it"]);
    check::<New, Old>(&["a: `C` was removed: old events have it"], &[]);
    check::<Old, OldNoted>(&[], &[]);
    let forward = [
        "a: it was required and is optional now: old readers require it",
        "a: `C` is new: old readers do not know it",
        "a: its type was string and is string or null now",
    ];
    check::<OldNoted, NewNoted>(&[], &forward);
}

#[test]
fn alternatives_with_fields_are_compared_by_their_tag() {
    payloads! {
        enum Old { A { x: u8 }, B { y: u8 }, C }
        enum New { A { x: u8, z: u8 }, B { y: String } }
        #[serde(tag = "kind")]
        enum OldTagged { A { x: u8 }, B { y: u8 } }
        #[serde(tag = "kind")]
        enum NewTagged { A { x: u8 }, B { y: u8, z: u8 }, D }
    }
    check::<Old, New>(
        &[
            ": `C` was removed: old events have it",
            "A.z: it is new and required: old events do not have it",
            "B.y: its type was integer (uint8) and is string now",
        ],
        &["B.y: its type was integer (uint8) and is string now"],
    );
    check::<OldTagged, NewTagged>(
        &["z: it is new and required: old events do not have it"],
        &[": `D` is new: old readers do not know it"],
    );
}

#[test]
fn a_type_that_holds_itself_comes_to_an_end() {
    payloads! {
        struct Old { tree: Tree }
        struct Tree { children: Vec<Tree>, leaf: u8 }
        struct New { tree: NewTree }
        struct NewTree { children: Vec<NewTree>, leaf: bool }
    }
    check::<Old, Old>(&[], &[]);
    check::<Tree, Tree>(&[], &[]);
    let leaf = ["tree.leaf: its type was integer (uint8) and is boolean now"];
    check::<Old, New>(&leaf, &leaf);
}

#[test]
fn flattened_fields_are_fields() {
    payloads! {
        struct Flat { a: u8, #[serde(flatten)] more: More }
        struct More { b: String }
        struct Plain { a: u8, b: String }
        struct Changed { a: u8, #[serde(flatten)] more: Other }
        struct Other { b: u8 }
    }
    check::<Flat, Plain>(&[], &[]);
    check::<Plain, Flat>(&[], &[]);
    let b = ["b: its type was string and is integer (uint8) now"];
    check::<Flat, Changed>(&b, &b);
}

#[test]
fn a_form_of_text_may_be_given_up_but_not_demanded() {
    struct Url;
    impl JsonSchema for Url {
        fn schema_name() -> Cow<'static, str> {
            "Url".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "string", "format": "uri" })
        }
    }
    check::<Url, String>(&[], &[": its `format` was uri and is none now"]);
    check::<String, Url>(&[": its `format` was none and is uri now"], &[]);
}
