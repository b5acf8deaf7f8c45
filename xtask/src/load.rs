//! `cargo xtask load`: how many requests `bank dev` answers on this machine, beside a server that does nothing, by `wrk`.
//! Figures, not a test: nothing is asserted, and whoever repeats it sees their own machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::steps::cargo_path;

/// How long each row is measured, in seconds.
const SECONDS: u32 = 10;
/// Connections of a row, unless it says something else.
const CONNECTIONS: usize = 32;
/// Requests under way that the server of the last rows takes.
const SEATS: usize = 32;

/// A server of this run, ended with it.
struct Server {
    process: Child,
    url: String,
}

/// What `wrk` said of a row.
struct Row {
    name: &'static str,
    good: f64,
    refused: f64,
    p50: String,
    p99: String,
}

/// Measures and prints a table; tells whether it could.
pub(crate) fn load(root: &Path) -> bool {
    match measure(root) {
        Ok(rows) => {
            println!(
                "\n| request | connections | answered/s | refused/s | p50 | p99 |\n|---|---|---|---|---|---|"
            );
            for (row, connections) in rows {
                let Row { name, good, refused, p50, p99 } = row;
                println!("| {name} | {connections} | {good:.0} | {refused:.0} | {p50} | {p99} |");
            }
            true
        }
        Err(reason) => {
            println!("{reason}");
            false
        }
    }
}

fn measure(root: &Path) -> Result<Vec<(Row, usize)>, String> {
    if Command::new("wrk").arg("-v").output().is_err() {
        return Err("wrk is missing: install it, for example with `apt install wrk`".to_owned());
    }
    let build = [
        "build",
        "--release",
        "-p",
        "bank",
        "-p",
        "headwater-server",
        "--bin",
        "bank",
        "--example",
        "trivial",
    ];
    let built = Command::new(cargo_path()).current_dir(root).args(build).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the servers cannot be built".to_owned());
    }
    let release = root.join("target/release");
    let scripts = root.join("target/load");
    fs::create_dir_all(&scripts).map_err(|error| error.to_string())?;
    let script = |name: &str, text: &str| {
        let file = scripts.join(name);
        fs::write(&file, text).map(|()| file).map_err(|error| error.to_string())
    };
    let (reads, commands) = (script("reads.lua", READS)?, script("commands.lua", COMMANDS)?);

    let trivial = Server::start(&release.join("examples/trivial"), &[], &[])?;
    let bank = Server::start(&release.join("bank"), &["dev", "--port", "0"], &[])?;
    let mut rows = Vec::new();
    let mut row = |name, server: &Server, path: &str, script: &PathBuf, connections| {
        let measured = wrk(name, &format!("{}{path}", server.url), script, connections)?;
        rows.push((measured, connections));
        Ok::<_, String>(())
    };
    row("nothing (a trivial axum handler)", &trivial, "/", &reads, CONNECTIONS)?;
    row("`GET /livez`", &bank, "/livez", &reads, CONNECTIONS)?;
    row("a command, each to a stream of its own", &bank, "/", &commands, CONNECTIONS)?;
    row("state of a stream", &bank, "/v1/streams/account/w1-1/state", &reads, CONNECTIONS)?;
    row("a row of a read model", &bank, "/v1/read-models/balances/w1-1", &reads, CONNECTIONS)?;
    drop(bank);

    let seats = SEATS.to_string();
    let limited = [("HEADWATER_LIMITS__REQUESTS", seats.as_str())];
    let bank = Server::start(&release.join("bank"), &["dev", "--port", "0"], &limited)?;
    row("commands, as many as it takes at once", &bank, "/", &commands, SEATS)?;
    row("commands, twice as many", &bank, "/", &commands, 2 * SEATS)?;
    row("commands, four times as many", &bank, "/", &commands, 4 * SEATS)?;
    Ok(rows)
}

impl Server {
    fn start(binary: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self, String> {
        let mut command = Command::new(binary);
        command.args(arguments).envs(variables.iter().copied()).stderr(Stdio::piped());
        let mut process =
            command.spawn().map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        let mut lines = BufReader::new(process.stderr.take().ok_or("its words cannot be read")?).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        // It must not stand still because nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        let url = first.split_once("is ready at ").and_then(|(_, rest)| rest.split(' ').next());
        let url = url.ok_or_else(|| format!("it is not ready: {first}"))?.to_owned();
        Ok(Self { process, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}

fn wrk(name: &'static str, url: &str, script: &Path, connections: usize) -> Result<Row, String> {
    println!("measuring {name} with {connections} connections for {SECONDS} s");
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{SECONDS}s"), "--latency", "-s"])
        .arg(script)
        .arg(url)
        .output()
        .map_err(|error| format!("wrk: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        value.and_then(|value| value.parse::<f64>().ok()).unwrap_or_default()
    };
    let line = |key: &str| {
        let found = text.lines().map(str::trim).find_map(|line| line.strip_prefix(key));
        found.map_or_else(|| "?".to_owned(), |value| value.trim().to_owned())
    };
    if number("good ") == 0.0 {
        return Err(format!("{name}: nothing was answered:\n{text}"));
    }
    let seconds = f64::from(SECONDS);
    Ok(Row {
        name,
        good: number("good ") / seconds,
        refused: number("refused ") / seconds,
        p50: line("50%"),
        p99: line("99%"),
    })
}

const READS: &str = r#"
good, refused = 0, 0
function response(status) if status == 503 then refused = refused + 1 elseif status < 400 then good = good + 1 end end
threads = {}
function setup(thread) table.insert(threads, thread) end
function done() for _, t in ipairs(threads) do print("good " .. t:get("good")); print("refused " .. t:get("refused")) end end
"#;

const COMMANDS: &str = r#"
good, refused, number, late = 0, 0, 0, 0
math.randomseed(os.time() + tonumber(tostring({}):sub(8), 16) % 100000)
run = math.random(1000000)
function request()
  number = number + 1
  local path = "/v1/streams/account/w" .. (number == 1 and "1-1" or run .. "-" .. number) .. "/commands/open"
  return wrk.format("POST", path, {["content-type"] = "application/json"}, '{"owner": "ada", "overdraft_limit": 0}')
end
function response(status) if status == 503 then refused = refused + 1; late = 1 elseif status < 400 then good = good + 1 end end
-- Whoever was refused waits, as a client that heeds Retry-After does, only shorter.
function delay() if late == 1 then late = 0; return 100 end; return 0 end
threads = {}
function setup(thread) table.insert(threads, thread) end
function done() for _, t in ipairs(threads) do print("good " .. t:get("good")); print("refused " .. t:get("refused")) end end
"#;
