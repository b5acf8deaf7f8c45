//! `bank dev` as a user meets it: it starts, what it prints to try works, and it stops when told.

use std::process::Command;
use std::time::Duration;

use crate::process::Dev;

fn curl(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "is curl there? {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_lines_that_dev_prints_work_and_a_signal_stops_it() {
    let mut dev = Dev::start(&[]);
    // The hint about the real data is the last one; the import test runs that.
    let lines = dev.lines.by_ref().map(Result::unwrap);
    let hints: Vec<String> = lines.take_while(|line| !line.contains(" convert ")).collect();
    let curls: Vec<_> =
        hints.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl")).collect();
    assert_eq!(curls.len(), 5, "{hints:?}");
    for line in curls {
        let mut answer = curl(line);
        // A read model follows the command a moment later.
        for _ in 0..200 {
            if !answer.contains("has no row") {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
            answer = curl(line);
        }
        assert!(answer.contains('{') && !answer.contains("/problems/"), "{line}: {answer}");
    }
    let pid = dev.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let rest: Vec<String> = dev.lines.by_ref().map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.starts_with("stopping")), "{rest:?}");
    assert!(dev.process.wait().unwrap().success(), "{rest:?}");
}
