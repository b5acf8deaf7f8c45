//! `bank dev` as a user meets it: it starts, what it prints to try works, and it stops when told.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The process, ended with the test whatever happens.
struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            self.0.wait().unwrap();
        }
    }
}

fn curl(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "is curl there? {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_lines_that_dev_prints_work_and_a_signal_stops_it() {
    let mut dev = Dev(Command::new(env!("CARGO_BIN_EXE_bank"))
        .args(["dev", "--port", "0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap());
    let said = BufReader::new(dev.0.stderr.take().unwrap());
    // The hint about the real data is the last one; the import test runs that.
    let mut lines = said.lines().map(Result::unwrap);
    let hints: Vec<String> = lines.by_ref().take_while(|line| !line.contains(" convert ")).collect();
    assert!(hints.first().unwrap().contains("is ready at http://127.0.0.1:"), "{hints:?}");
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
    let pid = dev.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(lines.any(|line| line.starts_with("stopping")));
    assert!(dev.0.wait().unwrap().success());
}
