//! The tries of one thing that a client wants: which are under way, and what an answer says about all of them.

/// The tries of one thing.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    begun: u32,
    /// Calls that are under way in a process, until they are answered, or dropped because the client hung up or the process
    /// died. What a dropped call has sent may still arrive.
    running: u32,
    /// Tries of which no client has heard whether they wrote it.
    pub(crate) open: u32,
    refused: Refused,
}

/// What clients have been told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refused {
    #[default]
    No,
    /// It is not carried out, unless somebody asks for it again.
    UntilAskedAgain,
    /// It can never be carried out.
    ForGood,
}

/// One try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    number: u32,
    alone: bool,
}

impl Tries {
    /// A client asks.
    pub(crate) fn begin(&mut self) -> Try {
        self.begun += 1;
        self.running += 1;
        self.open += 1;
        if self.refused == Refused::UntilAskedAgain {
            self.refused = Refused::No;
        }
        Try { number: self.begun, alone: self.running == 1 }
    }

    /// A call is no longer under way.
    pub(crate) fn end(&mut self) {
        self.running -= 1;
    }

    /// A try was answered: the client knows what became of it.
    pub(crate) fn heard(&mut self) {
        self.open -= 1;
    }

    /// A client hears that it was not carried out. That stands for every other try whose call was over when this one
    /// began; for all of them when it `cannot` be carried out any more.
    pub(crate) fn refuse(&mut self, this: Try, cannot: bool) {
        self.heard();
        let alone = this.alone && self.begun == this.number;
        let refused = match () {
            () if cannot => Refused::ForGood,
            () if alone => Refused::UntilAskedAgain,
            () => Refused::No,
        };
        self.refused = self.refused.max(refused);
    }

    /// A client hears that this try did nothing, which says nothing of others.
    pub(crate) fn fail(&mut self, this: Try) {
        match self.open {
            1 => self.refuse(this, false),
            _ => self.heard(),
        }
    }

    /// Whether clients may rely on it that it is not carried out.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused != Refused::No
    }
}
