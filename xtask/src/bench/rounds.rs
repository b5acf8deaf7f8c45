//! Rounds: every case once a round, in an order that turns by one, so that none is always behind the same other.

use std::path::Path;

use serde_json::Value;

use super::case::Case;
use super::figures::Figures;

/// The lines of every case, one a round.
pub(super) struct Lines(Vec<Vec<Value>>);

impl Lines {
    /// What a case has at a place of its lines.
    pub(super) fn of(&self, case: usize, place: &str) -> Figures {
        Figures::of(self.0.get(case).map_or(&[][..], Vec::as_slice), place)
    }
}

/// Runs every case in every round.
pub(super) fn rounds(cases: &[Case], rounds: usize, folder: &Path) -> Result<Lines, String> {
    let mut lines = vec![Vec::new(); cases.len()];
    for round in 0..rounds {
        println!("  round {} of {rounds}", round + 1);
        for place in turned(cases.len(), round) {
            if let (Some(case), Some(lines)) = (cases.get(place), lines.get_mut(place)) {
                lines.push(case.run_to_file(folder)?);
            }
        }
    }
    Ok(Lines(lines))
}

/// The places of a round.
fn turned(count: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |place| (place + round) % count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_begins_with_another_case_and_has_all() {
        let round = |number| turned(3, number).collect::<Vec<_>>();
        assert_eq!((round(0), round(1), round(4)), (vec![0, 1, 2], vec![1, 2, 0], vec![1, 2, 0]));
        assert_eq!(turned(0, 1).count(), 0);
    }
}
