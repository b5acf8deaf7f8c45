//! Reads the file, deals its lines out to connections, and sums up.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use headwater::StreamName;
use headwater::key::KEYS_REMEMBERED;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::line::{Line, LineError};
use super::progress::Progress;
use super::send::Sender;
use crate::cli::Api;
use crate::exit::{Exit, complain};

/// What `import` was told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) api: Api,
    pub(crate) connections: usize,
}

/// Lines that wait for one connection; a full queue holds the reading of the file up.
const QUEUED_LINES: usize = 64;

/// Longest line of a file in bytes: the server takes no more in a body, and the rest of a line is short.
const MAX_LINE_BYTES: u64 = 2 * crate::MAX_BODY_BYTES as u64;

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error("{file} cannot be read")]
    File { file: String, source: std::io::Error },
    #[error(transparent)]
    Line(#[from] LineError),
    #[error(
        "line {line} is one keyed command too many for {stream}: a server remembers the last \
         {KEYS_REMEMBERED} keys of a stream, so that a second import would carry older ones out again; what was sent \
         stays: put the rest into a file of its own and import each file once"
    )]
    TooManyKeys { line: u64, stream: String },
    #[error("the server cannot be used: {0}; what was sent stays, run the same import again to go on")]
    Server(String),
}

/// Sends the file; refused commands are counted and named, everything else stops the import.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) async fn run(options: &Options) -> Exit {
    let progress = Arc::new(Progress::start());
    let result = import(options, &progress).await;
    let refused = progress.finish();
    match result {
        Err(error) => {
            complain(&error);
            match error {
                ImportError::File { .. } | ImportError::Line(_) | ImportError::TooManyKeys { .. } => {
                    Exit::Usage
                }
                ImportError::Server(_) => Exit::Unreachable,
            }
        }
        Ok(()) if refused > 0 => {
            eprintln!("{refused} commands were refused: see above; the others were carried out");
            Exit::Partial
        }
        Ok(()) => Exit::Done,
    }
}

async fn import(options: &Options, progress: &Arc<Progress>) -> Result<(), ImportError> {
    let failed = |source| ImportError::File { file: options.file.display().to_string(), source };
    let input: Box<dyn AsyncBufRead + Unpin + Send> = match options.file.as_os_str() == "-" {
        true => Box::new(BufReader::new(tokio::io::stdin())),
        false => Box::new(BufReader::new(tokio::fs::File::open(&options.file).await.map_err(failed)?)),
    };
    let sender = Sender::new(&options.api);
    let mut workers = JoinSet::new();
    let mut queues = Vec::with_capacity(options.connections);
    for _ in 0..options.connections {
        let (queue, lines) = mpsc::channel::<Line>(QUEUED_LINES);
        queues.push(queue);
        workers.spawn(work(sender.clone(), lines, Arc::clone(progress)));
    }
    let dealt = deal(input, &queues).await;
    drop(queues);
    let mut result = dealt.map_err(|error| match error {
        Dealt::Read(source) => failed(source),
        Dealt::Line(error) => error.into(),
        Dealt::TooManyKeys { line, stream } => ImportError::TooManyKeys { line, stream },
        Dealt::WorkerGone => ImportError::Server("a connection ended".to_owned()),
    });
    while let Some(worker) = workers.join_next().await {
        let worker = worker.unwrap_or_else(|panic| Err(panic.to_string()));
        // Why a connection ended says more than that it did.
        if let Err(reason) = worker {
            result = Err(ImportError::Server(reason));
        }
    }
    result
}

/// Why dealing lines out ended early.
enum Dealt {
    Read(std::io::Error),
    Line(LineError),
    TooManyKeys { line: u64, stream: String },
    WorkerGone,
}

/// Reads the file and gives each stream's lines to one worker, in order.
async fn deal(
    mut input: Box<dyn AsyncBufRead + Unpin + Send>,
    queues: &[mpsc::Sender<Line>],
) -> Result<(), Dealt> {
    let mut keyed: HashMap<StreamName, usize> = HashMap::new();
    let mut text = String::new();
    let mut number = 0;
    loop {
        text.clear();
        number += 1;
        let line = (&mut input).take(MAX_LINE_BYTES).read_line(&mut text).await.map_err(Dealt::Read)?;
        if line == 0 {
            return Ok(());
        }
        if text.len() as u64 == MAX_LINE_BYTES && !text.ends_with('\n') {
            return Err(Dealt::Line(LineError::TooLong { number }));
        }
        if text.trim().is_empty() {
            continue;
        }
        let line = Line::parse(number, &text).map_err(Dealt::Line)?;
        if line.key.is_some() {
            let count = keyed.entry(line.stream.clone()).or_default();
            *count += 1;
            if *count > KEYS_REMEMBERED {
                return Err(Dealt::TooManyKeys { line: number, stream: line.stream.to_string() });
            }
        }
        let mut hasher = DefaultHasher::new();
        line.stream.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % queues.len() as u64).unwrap_or_default();
        let queue = queues.get(index).ok_or(Dealt::WorkerGone)?;
        queue.send(line).await.map_err(|_| Dealt::WorkerGone)?;
    }
}

/// Sends the lines of some streams, one after the other.
async fn work(
    sender: Sender,
    mut lines: mpsc::Receiver<Line>,
    progress: Arc<Progress>,
) -> Result<(), String> {
    while let Some(line) = lines.recv().await {
        let outcome = sender.send(&line).await?;
        progress.note(&line, &outcome);
    }
    Ok(())
}
