//! Every message of the derives, on the code that provokes it: one file in `tests/ui` for each.

#[test]
fn every_mistake_is_reported_with_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // With the test kit the compiler also names an aggregate of the kit as an example of one that has rules.
    let folder = if cfg!(feature = "testing") { "testing" } else { "plain" };
    cases.compile_fail(format!("tests/ui/{folder}/*.rs"));
}
