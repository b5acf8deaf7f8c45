//! `wrk` with scripts of ours: how many requests a server answers, and how fast.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::figures::Figures;

/// How long each row is measured.
pub(super) const SECONDS: u32 = 3;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Deposits; each account is opened first. `run` keeps the accounts of one row apart from those of another.
    Commands { run: u32, accounts: u32 },
    /// Accounts that are opened, each once. Who is refused with 503 waits a tenth of a second, as a client that heeds
    /// `Retry-After` does, only shorter; whatever else is answered fails the run.
    New { run: u32 },
    /// Rows of accounts that are there.
    Rows { run: u32, accounts: u32 },
    /// Events, posted to a path.
    Events,
}

/// What was answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answers {
    pub(super) per_second: f64,
    pub(super) refused: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Answers {
    /// The medians of what was answered in several rounds, and the range of how many a second.
    pub(super) fn typical(rounds: &[Self]) -> (Self, String) {
        let of = |value: fn(&Self) -> f64| Figures::from(rounds.iter().map(value));
        let per_second = of(|answers| answers.per_second);
        let typical = Self {
            per_second: per_second.median(),
            refused: of(|answers| answers.refused).median(),
            p50_ms: of(|answers| answers.p50_ms).median(),
            p99_ms: of(|answers| answers.p99_ms).median(),
        };
        (typical, per_second.range())
    }
}

/// Loads a server for [`SECONDS`].
pub(super) fn wrk(folder: &Path, url: &str, ask: Ask, connections: u32) -> Result<Answers, String> {
    wrk_for(folder, url, ask, connections, SECONDS)
}

/// Loads a server for so many seconds.
pub(super) fn wrk_for(
    folder: &Path,
    url: &str,
    ask: Ask,
    connections: u32,
    seconds: u32,
) -> Result<Answers, String> {
    let (name, text, arguments) = match ask {
        Ask::Commands { run, accounts } => ("commands.lua", COMMANDS, vec![run, accounts]),
        Ask::New { run } => ("new.lua", NEW, vec![run]),
        Ask::Rows { run, accounts } => ("rows.lua", ROWS, vec![run, accounts]),
        Ask::Events => ("events.lua", EVENTS, vec![]),
    };
    let script = script(folder, name, text)?;
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .arg("--")
        .args(arguments.iter().map(u32::to_string))
        .output()
        .map_err(|error| format!("wrk: {error}: install it, for example with `apt install wrk`"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers = read(&text).ok_or_else(|| format!("wrk does not say what was answered:\n{text}"))?;
    match answers.per_second > 0.0 {
        true => Ok(answers),
        false => Err(format!("{url}: nothing was answered:\n{text}")),
    }
}

fn script(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let file = folder.join(name);
    fs::write(&file, format!("{text}{COUNTING}")).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

/// Reads what the scripts, and clients of other servers, print at their end.
pub(super) fn read(text: &str) -> Option<Answers> {
    let line = text.lines().find_map(|line| line.strip_prefix("answers "))?;
    let mut numbers = line.split(' ').map(|number| number.parse::<f64>().ok());
    let mut next = || numbers.next().flatten();
    let (seconds, good, refused, p50, p99) = (next()?, next()?, next()?, next()?, next()?);
    let (per_second, p50_ms, p99_ms) = (good / seconds, p50 / 1e3, p99 / 1e3);
    Some(Answers { per_second, refused, p50_ms, p99_ms })
}

const COUNTING: &str = r#"
good, refused = 0, 0
function response(status)
  if heed then heed(status) end
  if status < 300 then good = good + 1 else refused = refused + 1 end
end
threads = {}
function setup(thread) table.insert(threads, thread) end
function done(summary, latency)
  local good, refused = 0, 0
  for _, t in ipairs(threads) do good = good + t:get("good"); refused = refused + t:get("refused") end
  print("answers " .. summary.duration / 1e6 .. " " .. good .. " " .. refused .. " "
    .. latency:percentile(50) .. " " .. latency:percentile(99))
end
"#;

const COMMANDS: &str = r#"
-- wrk asks for a request that it does not send, to see what they look like.
number = -1
json = {["content-type"] = "application/json"}
function init(args) run, accounts = args[1], tonumber(args[2]) end
function request()
  local account = "/v1/streams/account/load" .. run .. "-" .. number % accounts
  number = number + 1
  if number <= accounts then
    return wrk.format("POST", account .. "/commands/open", json, '{"owner": "ada", "overdraft_limit": 0}')
  end
  return wrk.format("POST", account .. "/commands/deposit", json, '{"amount": 100}')
end
"#;

const NEW: &str = r#"
number, late = 0, 0
json = {["content-type"] = "application/json"}
function init(args) run = args[1] end
function request()
  number = number + 1
  local account = "/v1/streams/account/new" .. run .. "-" .. number
  return wrk.format("POST", account .. "/commands/open", json, '{"owner": "ada", "overdraft_limit": 0}')
end
function delay() if late == 1 then late = 0; return 100 end; return 0 end
function heed(status)
  if status == 503 then late = 1 elseif status ~= 201 then error("it was answered " .. status) end
end
"#;

const ROWS: &str = r#"
number = 0
function init(args) run, accounts = args[1], tonumber(args[2]) end
function request()
  number = number + 1
  return wrk.format("GET", "/v1/read-models/balances/load" .. run .. "-" .. number % accounts)
end
"#;

const EVENTS: &str = r#"
number = 0
json = {["content-type"] = "application/json"}
function request()
  number = number + 1
  return wrk.format("POST", nil, json, '{"account":"acct-0000007","tx":"0190c5f2-8a3b-7d41-00001-' .. number
    .. '","amount":100,"balance":4200,"at":1767225600000}')
end
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_scripts_print_is_read() {
        let answers = read("Running 4s test\nanswers 4.0 8000 3 1500 22000\n").unwrap();
        assert_eq!((answers.per_second, answers.refused), (2_000.0, 3.0));
        assert_eq!((answers.p50_ms, answers.p99_ms), (1.5, 22.0));
        assert!(read("Socket errors: connect 16").is_none());
    }
}
