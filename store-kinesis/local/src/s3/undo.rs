//! Changes of objects that happen whole or not at all.
//!
//! An object is three files, put into place one after the other: the content, its metadata, and its checksums. Before a
//! change begins, what is there is noted in a folder of its own. A change that is refused, or cut off by the end of the
//! process, is undone; one that succeeded is flushed and its note removed before anybody hears of it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::names::Name;

/// In the folder of a note: what is being changed. Without it the change has not begun, or is done.
const CHANGED: &str = "changed.json";
/// In the folder of a note: what the three files were, those that were there.
const BEFORE: [&str; 3] = ["content", "metadata", "checksums"];
/// In the folder of a note: a file on its way back.
const RESTORED: &str = "restored";

/// Where objects and notes are kept.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The folder of all buckets.
    pub(crate) root: PathBuf,
    /// The folder of all notes.
    pub(crate) notes: PathBuf,
    /// Whether they outlive the process, so that flushing is worth the time.
    pub(crate) durable: bool,
}

/// The note of a change that has begun; it is undone when this is dropped before the change is done.
#[derive(Debug)]
pub(crate) struct Note {
    folders: Folders,
    folder: PathBuf,
    name: Name,
    settled: bool,
}

impl Folders {
    /// Undoes what was cut off, before anybody reads.
    pub(crate) fn mend(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.notes)? {
            let folder = entry?.path();
            let changed = fs::read(folder.join(CHANGED)).ok();
            // A name that was not written to its end is as good as none: the change begins after that.
            match changed.and_then(|text| serde_json::from_slice::<Name>(&text).ok()) {
                Some(name) => {
                    tracing::warn!(
                        bucket = name.bucket,
                        key = name.key,
                        "a change that was cut off is undone"
                    );
                    Note { folders: self.clone(), folder, name, settled: false }.undo()?;
                }
                None => fs::remove_dir_all(folder)?,
            }
        }
        Ok(())
    }

    /// Notes what an object is. `in_place` says that the change writes into the files instead of replacing them.
    pub(crate) fn note(&self, name: Name, in_place: bool) -> io::Result<Note> {
        let folder = self.notes.join(uuid::Uuid::now_v7().simple().to_string());
        fs::create_dir_all(&folder)?;
        for (file, before) in name.files(&self.root).iter().zip(BEFORE) {
            if file.is_file() {
                keep(file, &folder.join(before), in_place)?;
            }
        }
        let changed = folder.join(CHANGED);
        fs::write(&changed, serde_json::to_vec(&name)?)?;
        let note = Note { folders: self.clone(), folder, name, settled: false };
        note.flush(&[&changed, &note.folder, &self.notes])?;
        Ok(note)
    }
}

impl Note {
    /// The change stays: it is on the disk when this returns.
    pub(crate) fn done(mut self) -> io::Result<()> {
        self.settle()?;
        self.settled = true;
        Ok(())
    }

    /// Everything is as it was. Doing it twice does no harm, so the process may end in the middle of it.
    pub(crate) fn undo(mut self) -> io::Result<()> {
        self.settled = true;
        self.restore()
    }

    fn settle(&self) -> io::Result<()> {
        let files = self.name.files(&self.folders.root);
        let above = files.first().into_iter().flat_map(|object| object.ancestors().skip(1));
        let above = above.take_while(|folder| folder.starts_with(&self.folders.root));
        let touched: Vec<&Path> = files.iter().map(PathBuf::as_path).chain(above).collect();
        self.flush(&touched)?;
        self.forget()
    }

    fn restore(&self) -> io::Result<()> {
        for (file, before) in self.name.files(&self.folders.root).iter().zip(BEFORE) {
            let before = self.folder.join(before);
            if before.exists() {
                let restored = self.folder.join(RESTORED);
                remove(&restored)?;
                keep(&before, &restored, false)?;
                fs::rename(&restored, file)?;
            } else {
                remove(file)?;
            }
        }
        self.settle()
    }

    /// Removes the note; nothing is undone from here on.
    fn forget(&self) -> io::Result<()> {
        remove(&self.folder.join(CHANGED))?;
        self.flush(&[&self.folder])?;
        fs::remove_dir_all(&self.folder)
    }

    fn flush(&self, paths: &[&Path]) -> io::Result<()> {
        if !self.folders.durable {
            return Ok(());
        }
        for path in paths {
            match File::open(path) {
                Ok(file) => file.sync_all()?,
                // It was deleted, which its folder says.
                Err(reason) if reason.kind() == io::ErrorKind::NotFound => {}
                Err(reason) => return Err(reason),
            }
        }
        Ok(())
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        if !self.settled
            && let Err(reason) = self.restore()
        {
            tracing::error!(%reason, key = self.name.key, "a change that failed cannot be undone");
            // A later change of the same object must not be undone in its place at the next start.
            let _ = self.forget();
        }
    }
}

/// Gives a file a second name, or a copy where files have one name only or are written into.
fn keep(file: &Path, copy: &Path, in_place: bool) -> io::Result<()> {
    if in_place || fs::hard_link(file, copy).is_err() {
        fs::copy(file, copy)?;
    }
    Ok(())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(reason),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folders of a test.
    struct Test(Folders);

    impl Test {
        fn new() -> Self {
            let above = std::env::temp_dir().join(format!("headwater-local-undo-{}", uuid::Uuid::now_v7()));
            let folders = Folders { root: above.join("s3"), notes: above.join("notes"), durable: true };
            fs::create_dir_all(folders.root.join("archive/a")).unwrap();
            fs::create_dir_all(&folders.notes).unwrap();
            Self(folders)
        }

        fn name() -> Name {
            Name { bucket: "archive".to_owned(), key: "a/chunk".to_owned() }
        }

        /// Replaces so many of the three files.
        fn replace(&self, how_many: usize, text: &str) {
            for file in Self::name().files(&self.0.root).iter().take(how_many) {
                let new = self.0.root.join("new");
                fs::write(&new, text).unwrap();
                fs::rename(&new, file).unwrap();
            }
        }

        fn texts(&self) -> [Option<String>; 3] {
            Self::name().files(&self.0.root).map(|file| fs::read_to_string(file).ok())
        }

        fn notes(&self) -> usize {
            fs::read_dir(&self.0.notes).unwrap().count()
        }
    }

    impl Drop for Test {
        fn drop(&mut self) {
            fs::remove_dir_all(self.0.root.parent().unwrap()).unwrap();
        }
    }

    fn all(text: Option<&str>) -> [Option<String>; 3] {
        [text.map(str::to_owned), text.map(str::to_owned), text.map(str::to_owned)]
    }

    #[test]
    fn a_change_that_was_cut_off_anywhere_never_was() {
        for before in [None, Some("old")] {
            for replaced in 0..=3 {
                let test = Test::new();
                test.replace(if before.is_some() { 3 } else { 0 }, "old");
                let note = test.0.note(Test::name(), false).unwrap();
                test.replace(replaced, "new");
                std::mem::forget(note);
                test.0.mend().unwrap();
                assert_eq!(test.texts(), all(before), "{replaced} files of an object that was {before:?}");
                assert_eq!(test.notes(), 0);
            }
        }
    }

    #[test]
    fn a_deletion_that_was_cut_off_never_was() {
        let test = Test::new();
        test.replace(3, "old");
        let note = test.0.note(Test::name(), false).unwrap();
        fs::remove_file(&Test::name().files(&test.0.root)[0]).unwrap();
        std::mem::forget(note);
        test.0.mend().unwrap();
        assert_eq!(test.texts(), all(Some("old")));
    }

    #[test]
    fn files_that_are_written_into_come_back_as_well() {
        let test = Test::new();
        test.replace(3, "old");
        let note = test.0.note(Test::name(), true).unwrap();
        fs::write(&Test::name().files(&test.0.root)[0], "new").unwrap();
        note.undo().unwrap();
        assert_eq!(test.texts(), all(Some("old")));
    }

    #[test]
    fn a_change_that_nobody_finishes_is_undone_at_once() {
        let test = Test::new();
        test.replace(3, "old");
        let note = test.0.note(Test::name(), false).unwrap();
        test.replace(2, "new");
        drop(note);
        assert_eq!((test.texts(), test.notes()), (all(Some("old")), 0));
    }

    #[test]
    fn a_change_that_is_done_stays() {
        let test = Test::new();
        test.replace(3, "old");
        let note = test.0.note(Test::name(), false).unwrap();
        test.replace(3, "new");
        note.done().unwrap();
        test.0.mend().unwrap();
        assert_eq!((test.texts(), test.notes()), (all(Some("new")), 0));
    }

    #[test]
    fn undoing_that_was_cut_off_goes_on() {
        let test = Test::new();
        test.replace(3, "old");
        let note = test.0.note(Test::name(), false).unwrap();
        test.replace(3, "new");
        // The first of the three files is back already, the second one on its way.
        fs::hard_link(note.folder.join(BEFORE[0]), note.folder.join("back")).unwrap();
        fs::rename(note.folder.join("back"), &Test::name().files(&test.0.root)[0]).unwrap();
        fs::hard_link(note.folder.join(BEFORE[1]), note.folder.join(RESTORED)).unwrap();
        std::mem::forget(note);
        test.0.mend().unwrap();
        assert_eq!((test.texts(), test.notes()), (all(Some("old")), 0));
    }

    #[test]
    fn a_note_that_was_not_written_to_its_end_changes_nothing() {
        for text in [None, Some("{\"buck")] {
            let test = Test::new();
            test.replace(3, "old");
            fs::create_dir_all(test.0.notes.join("cut")).unwrap();
            if let Some(text) = text {
                fs::write(test.0.notes.join("cut").join(CHANGED), text).unwrap();
            }
            test.0.mend().unwrap();
            assert_eq!((test.texts(), test.notes()), (all(Some("old")), 0), "{text:?}");
        }
    }
}
