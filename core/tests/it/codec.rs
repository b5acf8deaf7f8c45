//! Events and commands as bytes and back: numbers, text, depth, and every way a payload can be wrong.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Debug;

use headwater::codec::{CommandError, DecodeError, MAX_DEPTH, decode_variant, encode_variant};
use headwater::{Command, Decoded, Event};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
enum Noted {
    Text {
        text: String,
    },
    Numbers {
        small: i64,
        large: u64,
        huge: u128,
        real: f64,
    },
    #[serde(rename_all = "camelCase")]
    Camel {
        first_name: String,
        #[serde(rename = "n")]
        number: Option<u8>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
    },
    Free {
        json: Value,
    },
    Flat {
        id: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    },
    Real {
        real: f64,
    },
    Nothing,
}

fn check(event: &Noted, name: &str, payload: &str) {
    let data = event.encode().unwrap();
    assert_eq!((&*data.name, data.schema), (name, 1));
    assert_eq!(std::str::from_utf8(&data.payload).unwrap(), payload);
    let Decoded::One(back) = Noted::decode(name, 1, payload.as_bytes()).unwrap() else { panic!("one event") };
    assert_eq!(&back, event);
}

fn text(text: &str) -> Noted {
    Noted::Text { text: text.to_owned() }
}

/// JSON nested as deep as asked, this many arrays in each other.
fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

#[test]
fn a_variant_is_its_fields_as_compact_json() {
    check(&text("hello"), "Text", r#"{"text":"hello"}"#);
    check(&Noted::Nothing, "Nothing", "{}");
}

#[test]
fn text_of_any_script_is_kept() {
    check(
        &text("Příliš žluťoučký 🐎 \u{1}\n\"\\"),
        "Text",
        "{\"text\":\"Příliš žluťoučký 🐎 \\u0001\\n\\\"\\\\\"}",
    );
    check(&text(""), "Text", r#"{"text":""}"#);
}

#[test]
fn numbers_beyond_two_to_the_53_are_exact() {
    let event = Noted::Numbers { small: i64::MIN, large: u64::MAX, huge: u128::MAX, real: 0.1 };
    let payload = "{\"small\":-9223372036854775808,\"large\":18446744073709551615,\
                   \"huge\":340282366920938463463374607431768211455,\"real\":0.1}";
    check(&event, "Numbers", payload);
}

#[test]
fn floats_read_back_as_they_were_written() {
    for bits in
        [0x3fb9_9999_9999_999a, 0x0000_0000_0000_0001, 0x7fef_ffff_ffff_ffff, 0x4341_c379_37e0_7fff_u64]
    {
        let event = Noted::Real { real: f64::from_bits(bits) };
        let payload = event.encode().unwrap().payload;
        assert_eq!(Noted::decode("Real", 1, &payload).unwrap(), Decoded::One(event));
    }
}

#[test]
fn what_serde_says_of_fields_holds() {
    let bare = Noted::Camel { first_name: "Ada".to_owned(), number: None, tags: Vec::new() };
    check(&bare, "Camel", r#"{"firstName":"Ada","n":null}"#);
    let full = Noted::Camel { first_name: "Ada".to_owned(), number: Some(1), tags: vec!["a".to_owned()] };
    check(&full, "Camel", r#"{"firstName":"Ada","n":1,"tags":["a"]}"#);
    let flat = Noted::Flat { id: 1, rest: BTreeMap::from([("a".to_owned(), 2)]) };
    check(&flat, "Flat", r#"{"id":1,"a":2}"#);
}

#[test]
fn unknown_fields_and_other_orders_are_fine() {
    let payload = br#" {"extra": [1, {"a": null}], "real": 1, "huge": 3, "large": 2, "small": 1} "#;
    let expected = Noted::Numbers { small: 1, large: 2, huge: 3, real: 1.0 };
    assert_eq!(Noted::decode("Numbers", 1, payload).unwrap(), Decoded::One(expected));
}

#[test]
fn a_variant_without_fields_takes_an_object_null_or_nothing() {
    for payload in ["{}", "null", "", r#" {"added later": [1]} "#] {
        assert_eq!(Noted::decode("Nothing", 1, payload.as_bytes()).unwrap(), Decoded::One(Noted::Nothing));
    }
    for payload in ["[]", "1", "{", "{} {}", "nul"] {
        Noted::decode("Nothing", 1, payload.as_bytes()).unwrap_err();
    }
}

#[test]
fn json_is_written_as_deep_as_it_can_be_read_and_no_deeper() {
    // The payload itself is one level.
    check_depth(MAX_DEPTH - 1).unwrap();
    let error = check_depth(MAX_DEPTH).unwrap_err();
    assert!(error.source().unwrap().to_string().contains("nested deeper than 127 levels"), "{error:?}");

    fn check_depth(depth: usize) -> Result<(), headwater::codec::EncodeError> {
        let event = Noted::Free { json: nested(depth) };
        let payload = event.encode()?.payload;
        assert_eq!(Noted::decode("Free", 1, &payload).unwrap(), Decoded::One(event));
        Ok(())
    }
}

#[test]
fn an_event_that_could_not_be_read_back_is_not_written() {
    for real in [f64::NAN, f64::INFINITY] {
        let error = Noted::Real { real }.encode().unwrap_err();
        assert!(error.to_string().contains("Noted"), "{error}");
        assert!(error.source().unwrap().to_string().contains("null"), "{error:?}");
    }
}

#[test]
fn an_unknown_type_names_the_known_ones() {
    let error = Noted::decode("Gone", 1, b"{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "event type \"Gone\" is unknown: known are Text, Numbers, Camel, Free, Flat, Real, Nothing; \
         add it to the enum or as `retired`"
    );
}

#[test]
fn an_unknown_version_names_the_newest_one() {
    for schema in [0, 2, u32::MAX] {
        let error = Noted::decode("Text", schema, b"{}").unwrap_err();
        assert!(matches!(error, DecodeError::UnknownSchema { newest: 1, .. }), "{error}");
    }
}

#[test]
fn a_payload_that_does_not_fit_says_where_and_why() {
    let cases = [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{}", "missing field `text` at line 1 column 2"),
        (r#"{"text":1}"#, "invalid type: integer `1`, expected a string at line 1 column 9"),
        (r#"["a"]"#, "invalid type: sequence, expected struct variant Noted::Text at line 1 column 0"),
        (r#"{"text":"a"}x"#, "trailing characters at line 1 column 13"),
        (
            "{\"text\":\"\u{1}\"}",
            "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 10",
        ),
    ];
    for (payload, expected) in cases {
        let error = Noted::decode("Text", 1, payload.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "payload of event type \"Text\", version 1, does not fit");
        assert_eq!(error.source().unwrap().to_string(), expected);
    }
}

#[test]
fn only_enums_are_events_and_commands() {
    #[derive(Serialize)]
    enum Tuple {
        Pair(u8, u8),
    }

    fn refused<T: Serialize + Debug>(result: Result<T, serde_json::Error>) {
        let error = result.unwrap_err().to_string();
        assert_eq!(error, "only enums with struct or unit variants are events and commands");
    }
    refused(encode_variant(&1));
    refused(encode_variant(&"text"));
    refused(encode_variant(&Some(1)));
    refused(encode_variant(&BTreeMap::from([("a", 1)])));
    refused(encode_variant(&Tuple::Pair(1, 2)));
    refused(decode_variant::<u8>(0, b"1"));
    refused(decode_variant::<Vec<u8>>(0, b"[1]"));
    decode_variant::<Noted>(7, b"{}").unwrap_err();
}

#[test]
fn a_variant_with_one_value_is_that_value() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum One {
        Of(Vec<u8>),
    }
    let (index, payload) = encode_variant(&One::Of(vec![1, 2])).unwrap();
    assert_eq!((index, payload.as_slice()), (0, &b"[1,2]"[..]));
    assert_eq!(decode_variant::<One>(0, &payload).unwrap(), One::Of(vec![1, 2]));
}

#[test]
fn a_variant_is_written_as_serde_json_writes_a_struct_of_its_fields() {
    #[derive(Serialize, Deserialize)]
    enum One {
        Of {
            #[serde(skip_serializing_if = "Option::is_none")]
            absent: Option<u8>,
            #[serde(rename = "a \"key\"\\ of\n anything é\u{1}")]
            odd: u8,
            pair: (f64, String),
            #[serde(skip_serializing_if = "Option::is_none")]
            last: Option<u8>,
        },
    }

    for (absent, last) in [(None, None), (Some(1), None), (None, Some(2)), (Some(1), Some(2))] {
        let one = One::Of { absent, odd: 7, pair: (0.1, "\"\n".to_owned()), last };
        let as_a_whole = serde_json::to_value(&one).unwrap();
        let (_, payload) = encode_variant(&one).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(as_a_whole.get("Of"), Some(&payload));
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Command)]
enum Ask {
    MoveTo {
        address: Address,
        note: Option<String>,
    },
    #[command(name = "stop.v2")]
    Halt,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, headwater::JsonSchema)]
struct Address {
    street: String,
    lines: Vec<u8>,
}

#[test]
fn commands_go_by_kebab_case_or_their_own_name() {
    assert_eq!(Ask::NAMES, ["move-to", "stop.v2"]);
    let ask = Ask::MoveTo { address: Address { street: "ulice".to_owned(), lines: vec![1] }, note: None };
    let (name, content) = ask.encode().unwrap();
    assert_eq!(name, "move-to");
    assert_eq!(content, r#"{"address":{"street":"ulice","lines":[1]},"note":null}"#.as_bytes());
    assert_eq!(Ask::decode(name, &content).unwrap(), ask);
    assert_eq!(Ask::decode("stop.v2", b"").unwrap(), Ask::Halt);
    assert_eq!(Ask::decode("stop.v2", b" \n").unwrap(), Ask::Halt);
}

#[test]
fn an_unknown_command_names_the_known_ones() {
    let error = Ask::decode("halt", b"{}").unwrap_err();
    assert_eq!(error.to_string(), r#"command "halt" is unknown: known are move-to, stop.v2"#);
}

#[test]
fn the_content_of_a_command_that_does_not_fit_names_the_field() {
    let cases = [
        ("", "address", "`address`: missing field `address` at line 1 column 2"),
        ("{}", "address", "`address`: missing field `address` at line 1 column 2"),
        (
            r#"{"address":{"street":1}}"#,
            "address.street",
            "`address.street`: invalid type: integer `1`, expected a string at line 1 column 22",
        ),
        (
            r#"{"address":{"street":"a"}}"#,
            "address.lines",
            "`address.lines`: missing field `lines` at line 1 column 25",
        ),
        (
            r#"{"address":{"street":"a","lines":[1,"x"]}}"#,
            "address.lines[1]",
            "`address.lines[1]`: invalid type: string \"x\", expected u8 at line 1 column 39",
        ),
        ("[]", ".", "invalid type: sequence, expected struct variant Ask::MoveTo at line 1 column 0"),
        ("{", ".", "EOF while parsing an object at line 1 column 1"),
    ];
    for (content, field, message) in cases {
        let Err(CommandError::Content { name, path, reason }) = Ask::decode("move-to", content.as_bytes())
        else {
            panic!("{content} is not a content of the command");
        };
        assert_eq!((name.as_str(), path.as_str(), reason.as_str()), ("move-to", field, message));
    }
}
