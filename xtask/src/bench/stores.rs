//! Another part of W5: event-store servers that the registry has, loaded by clients of theirs.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use super::build::{Programs, SIERRADB, StoreServer, UMADB};
use super::load::{Answers, SECONDS, read};
use super::server::Server;

/// A server, what its clients want to have in front of its address, and how it is told where to be.
struct Store {
    server: StoreServer,
    scheme: &'static str,
    behind: &'static str,
    arguments: fn(address: &str, data: &str) -> Vec<String>,
}

const STORES: [Store; 2] = [
    Store {
        server: UMADB,
        scheme: "http://",
        behind: "",
        arguments: |address, data| ["--listen", address, "--db-path", data].map(str::to_owned).to_vec(),
    },
    Store {
        server: SIERRADB,
        scheme: "redis://",
        behind: "?protocol=resp3",
        arguments: |address, data| {
            let here = ["--dir", data, "--client-address", address];
            let alone = ["--cluster-address", "/ip4/127.0.0.1/tcp/0", "--mdns", "false", "--log", "warn"];
            [&here[..], &alone].concat().into_iter().map(str::to_owned).collect()
        },
    },
];

/// Measures each with so many connections; gives its name in the table.
pub(super) fn stores<const N: usize>(
    programs: &Programs,
    folder: &Path,
    connections: [u32; N],
) -> Result<Vec<(String, [Answers; N])>, String> {
    let mut found = Vec::new();
    for store in &STORES {
        let name = format!("{} {}: guarded appends", store.server.program, store.server.version);
        println!("  {name}");
        let data = folder.join(store.server.program);
        remove(&data);
        let address = free()?;
        let arguments = (store.arguments)(&address, &data.display().to_string());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let server = Server::start_at(&programs.server(&store.server), &arguments, &address)?;
        let url = format!("{}{address}{}", store.scheme, store.behind);
        let mut answers = [Answers::default(); N];
        for (answer, connections) in answers.iter_mut().zip(connections) {
            *answer = load(programs, store.server.program, &url, connections)?;
        }
        drop(server);
        remove(&data);
        found.push((name, answers));
    }
    Ok(found)
}

fn load(programs: &Programs, server: &str, url: &str, connections: u32) -> Result<Answers, String> {
    let program = programs.peer("headwater-peers-servers");
    let failed = |why: String| format!("{} {server}: {why}", program.display());
    let mut command = Command::new(&program);
    // As many clients as ran before are others: the number of connections tells them apart.
    command.args([server, url, &connections.to_string(), &connections.to_string(), &SECONDS.to_string()]);
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    read(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| failed(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// An address that nobody listens at.
fn free() -> Result<String, String> {
    let found = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    found.map(|address| address.to_string()).map_err(|error| format!("no port is free: {error}"))
}

/// Removes data of an earlier run: one keeps a file, the other a folder.
fn remove(data: &Path) {
    let _absent = if data.is_dir() { std::fs::remove_dir_all(data) } else { std::fs::remove_file(data) };
}
