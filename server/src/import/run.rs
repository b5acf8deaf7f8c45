//! Reads the file, deals its lines out to connections, and sums up.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::line::{Line, LineError};
use super::progress::Progress;
use super::send::Sender;
use crate::exit::{Exit, complain};

/// What `import` was told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) server: String,
    pub(crate) connections: usize,
}

/// Lines that wait for one connection; a full queue holds the reading of the file up.
const QUEUED_LINES: usize = 64;

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error("{file} cannot be read")]
    File { file: String, source: std::io::Error },
    #[error(transparent)]
    Line(#[from] LineError),
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
                ImportError::File { .. } | ImportError::Line(_) => Exit::Usage,
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
    let sender = Sender::new(&options.server).map_err(ImportError::Server)?;
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
    WorkerGone,
}

/// Reads the file and gives each stream's lines to one worker, in order.
async fn deal(
    mut input: Box<dyn AsyncBufRead + Unpin + Send>,
    queues: &[mpsc::Sender<Line>],
) -> Result<(), Dealt> {
    let mut text = String::new();
    let mut number = 0;
    loop {
        text.clear();
        number += 1;
        if input.read_line(&mut text).await.map_err(Dealt::Read)? == 0 {
            return Ok(());
        }
        if text.trim().is_empty() {
            continue;
        }
        let line = Line::parse(number, &text).map_err(Dealt::Line)?;
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
